"""The task of compressed computation: targets, errors and what is mixed into them."""

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features import Independent, SignedUniform
from toymodels.tasks.compressed_computation import CompressedComputation

WORLD = Independent.create(0.3, 12, SignedUniform())


def test_targets_are_cut_at_zero_and_mixed_and_the_error_is_a_power():
    task = CompressedComputation.create(WORLD, 0.5, exponent=3.0, mixing="gaussian")
    x, target = task.from_uniforms(jax.random.uniform(jax.random.key(0), (12, 40)))
    np.testing.assert_allclose(target, np.maximum(x, 0) + task.M @ np.asarray(x), rtol=1e-5)
    np.testing.assert_allclose(
        task.error(target - 2.0, target), np.full((12, 40), 0.5 * 2**3), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("kind", "scale", "symmetric"),
    [("gaussian", 0.02, False), ("symmetric", 0.02, True), ("embedding", 1000**-0.5, True)],
)
def test_mixing_has_its_scale_and_no_diagonal(kind, scale, symmetric):
    world = Independent.create(0.3, 100, SignedUniform())
    M = CompressedComputation.create(world, mixing=kind, mixing_seed=3).M
    assert not np.diag(M).any()
    assert np.allclose(M, M.T) == symmetric
    assert np.std(M[~np.eye(100, dtype=bool)]) == pytest.approx(scale, rel=0.03)


def test_a_wrong_exponent_or_mixing_is_refused():
    with pytest.raises(InputError, match="exponent = 0\\.5"):
        CompressedComputation.create(WORLD, exponent=0.5)
    with pytest.raises(InputError, match="mixing = 'noise': give \"none\""):
        CompressedComputation.create(WORLD, mixing="noise")  # pyright: ignore
