"""The task of all pairwise ANDs: targets, and what their errors weigh."""

import itertools

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features import Boolean, Independent, OneActive, SeveralActive, Uniform
from toymodels.tasks.base import errors
from toymodels.tasks.universal_and import UniversalAnd, pairs

WORLD = SeveralActive.create(6, 3, Boolean())


def test_targets_are_ands_in_the_order_of_pairs():
    task = UniversalAnd.create(WORLD)
    u = np.random.default_rng(0).random((6, 50), np.float32)
    x, target = (np.asarray(found) for found in jax.jit(task.from_uniforms)(u))
    np.testing.assert_array_equal(target, [x[i] * x[j] for i, j in pairs(6).T])
    np.testing.assert_array_equal(pairs(6).T, list(itertools.combinations(range(6), 2)))
    np.testing.assert_array_equal(task.target(x[:, 0]), target[:, 0])


def test_balanced_errors_weigh_ands_that_are_on_as_much_as_those_that_are_off():
    """All 20 examples of three features of six: each AND is on in 4 of them."""
    x = np.zeros((6, 20), np.float32)
    for example, active in enumerate(itertools.combinations(range(6), 3)):
        x[list(active), example] = 1
    plain, balanced = (UniversalAnd.create(WORLD, class_balance=c) for c in (0.0, 1.0))
    target = np.asarray(plain.target(x))
    np.testing.assert_allclose(errors(plain, target + 2, target), 4.0)
    weight = np.asarray(errors(balanced, target + 1, target))
    assert weight[target > 0].sum() == pytest.approx(weight[target == 0].sum(), rel=1e-5)
    assert weight.mean() == pytest.approx(1, rel=1e-5)
    half = UniversalAnd.create(WORLD, class_balance=0.5, exponent=3.0)
    np.testing.assert_allclose(errors(half, target + 2, target), 8 * (1 + weight) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("world", "how", "told"),
    [
        (SeveralActive.create(6, 2, Uniform()), {}, 'Uniform.*values = "boolean"'),
        (WORLD, {"n_features": 5}, "n_features = 5, but the world has 6"),
        (SeveralActive.create(1, 1, Boolean()), {}, "n_features = 1"),
        (WORLD, {"class_balance": 1.5}, "class_balance = 1.5"),
        (WORLD, {"exponent": 0.5}, "exponent = 0.5"),
        (SeveralActive.create(6, 1, Boolean()), {"class_balance": 1.0}, "a share of 0 is"),
        (Independent.create(1.0, 3, Boolean()), {"class_balance": 1.0}, "a share of 1 is"),
        (OneActive.create(3, Boolean()), {"class_balance": 0.1}, "how often is not known"),
    ],
)
def test_what_is_no_task_is_refused(world, how, told):
    with pytest.raises(InputError, match=told):
        UniversalAnd.create(world, **how)
