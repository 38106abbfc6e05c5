import jax
import numpy as np
import pytest

from sweeps.work import engine
from toymodels import training
from toymodels.compiled import Jitted, classes_of, jit
from toymodels.features.anticorrelated import AnticorrelatedSets
from toymodels.features.correlated import CorrelatedSets
from toymodels.models.autoencoders import LinearAutoencoder, ReluAutoencoder

LEAVES = {"W": np.eye(2, 3, dtype=np.float32), "b": np.zeros(3, np.float32)}
ALIKE = (
    (LinearAutoencoder(**LEAVES), ReluAutoencoder(**LEAVES)),
    tuple(
        c.create(n_features=4, n_sets=2, p_active=0.1) for c in (CorrelatedSets, AnticorrelatedSets)
    ),
)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_records_of_equal_fields_and_other_classes_are_told_apart(one, other):
    first, second = map(jax.tree.structure, (one, other))
    assert classes_of(first) != classes_of(second)
    assert classes_of(first) == classes_of(jax.tree.structure(one))
    kinds = jit(lambda record: 1.0)
    kinds(one), kinds(other), kinds(one)
    assert kinds._cache_size() == 2


def test_static_and_donated_arguments_go_by_name():
    scaled = jit(lambda x, times: x * times, static_argnames="times", donate_argnames="x")
    assert float(scaled(np.float32(2), times=3)) == 6
    assert "classes" not in scaled.lower(np.float32(2), times=3).as_text()


def test_all_programs_of_training_are_kept_by_their_classes():
    of_engine = (engine.init_block, engine.train_block, engine.average_losses)
    of_solo = (training._init, training._chunk, training._curve_point, training._evaluate)
    assert all(isinstance(program, Jitted) for program in of_engine + of_solo)
