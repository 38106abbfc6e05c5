"""What is left of the construction in a trained network: the construction itself has all of it."""

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.measures.circuit_structure import CircuitStructure
from toymodels.models import ReluAutoencoder
from toymodels.models.circuit_start import RotationNetwork
from toymodels.tasks.circuits import RotationTask
from toymodels.training import Run, TrainSpec

KEY = jax.random.key(3)


def measured(lost=1.0, **changes):
    how = {"n_circuits": 4, "n_layers": 3, "width": 48, "redundancy": 3, "room": 6}
    begun = RotationNetwork.start(**how | changes)
    run = Run(RotationTask.create(n_circuits=4, room=6), begun, TrainSpec.create())
    model = begun.draw(KEY)
    return CircuitStructure()(run, model.replace(b=lost * model.b), KEY)


def test_the_construction_has_all_of_its_structure():
    """Four circuits of disjoint copies: each on its own, and the step applied three times."""
    found = measured()
    np.testing.assert_allclose(found["own_share"].values, 1, atol=1e-6)
    assert (found["neurons_of_circuit"].values <= 12 + 1e-4).all()
    strength = found["strength_tested"].values
    step = strength
    for _ in range(3):
        step = np.clip(2 * step - 0.5, 0, 1)
    np.testing.assert_allclose(found["response"].values, step, atol=1e-5)


def test_random_weights_have_the_share_that_their_number_says():
    """The null: 12 of 48 neurons are a circuit's own, in every layer that is not embedded."""
    found = measured(init="random")
    assert found["own_share"].values[0] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found["own_share"].values[1:], 12 / 48, atol=0.2)


def test_a_model_that_has_diverged_has_no_structure():
    found = measured(lost=np.nan)
    for name in ("neurons_of_circuit", "own_share", "response"):
        assert np.isnan(found[name].values).all()


def test_other_models_are_refused():
    model = ReluAutoencoder.start(4, 2)(KEY)
    run = Run(RotationTask.create(n_circuits=4), None, TrainSpec.create())
    with pytest.raises(InputError, match="needs a network of circuits"):
        CircuitStructure()(run, model, KEY)
