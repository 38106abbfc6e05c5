"""How many features a neuron reads, and how many by chance: closed forms against draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels.errors import InputError
from toymodels.measures.privilege import (
    Privilege,
    _haar,
    haar_participation_ratio,
    max_share,
    participation_ratio,
)
from toymodels.models import ReluAutoencoder

ROWS = np.array([[0, 3.0, 0, 0], [-1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [2, 0, 1, 0]])
KEY = jax.random.key(0)


@pytest.mark.parametrize("scale", [1.0, -1e-18, 1e18])
def test_equal_weights_count_one_each_whatever_their_scale(scale):
    ratio, share = participation_ratio(scale * ROWS), max_share(scale * ROWS)
    np.testing.assert_allclose(ratio, [1, 2, 4, 0, 25 / 17], rtol=1e-6)
    np.testing.assert_allclose(share, [1, 1 / 2, 1 / 4, 0, 2 / 3], rtol=1e-6)


def test_nan_in_a_row_is_told_for_that_row():
    ratio = np.asarray(participation_ratio(np.array([[1.0, np.nan], [1.0, 0.0]])))
    np.testing.assert_array_equal(np.isnan(ratio), [True, False])


def test_rotations_are_orthogonal_and_have_the_moments_of_haars_measure():
    M = 5
    turns = np.asarray(_haar(KEY, 20_000, M), np.float64)
    np.testing.assert_allclose(
        turns[:9] @ turns[:9].transpose(0, 2, 1), np.tile(np.eye(M), (9, 1, 1)), atol=1e-5
    )
    assert np.mean(np.linalg.det(turns) > 0) == pytest.approx(0.5, abs=0.02)
    for i, j, power in ((0, 0, 4), (3, 2, 4), (4, 4, 4)):
        assert np.mean(turns[:, i, j] ** power) == pytest.approx(3 / (M * (M + 2)), rel=0.05)
    assert np.mean(turns[:, 1, 0] ** 2 * turns[:, 1, 3] ** 2) == pytest.approx(
        1 / (M * (M + 2)), rel=0.05
    )
    assert np.mean(turns[:, 2, 2]) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("kind", ["dedicated", "frame", "any"])
def test_exact_null_is_that_of_drawn_rotations(kind):
    """Dedicated columns and frames: the harmonic mean is exact; any W: the moments are."""
    rng = np.random.default_rng(0)
    W = {
        "dedicated": np.eye(5, 9),
        "frame": np.linalg.svd(rng.normal(size=(5, 9)), full_matrices=False)[2],
        "any": rng.normal(size=(5, 9)),
    }[kind]
    rows = np.asarray(_haar(KEY, 20_000, 5), np.float64).reshape(-1, 5) @ W
    square, fourth = (rows**2).sum(1), (rows**4).sum(1)
    exact = float(haar_participation_ratio(W))
    assert exact == pytest.approx(np.mean(square**2) / np.mean(fourth), rel=0.01)
    if kind != "any":
        ratio = np.asarray(participation_ratio(rows), np.float64)
        assert exact == pytest.approx(1 / np.mean(1 / ratio), rel=0.01)
    if kind == "dedicated":
        assert exact == pytest.approx(7 / 3, rel=1e-6)


def test_null_of_nothing_is_nothing():
    assert float(haar_participation_ratio(np.zeros((2, 3)))) == 0


def test_measure_tells_both_of_each_neuron_and_of_each_rotation():
    run, W = make_run(4, 4), jnp.eye(4)
    found = Privilege(n_rotations=300)(run, ReluAutoencoder(W=W, b=jnp.zeros(4)), KEY)
    assert {name: field.dims for name, field in found.items()} == {
        "participation_ratio": ("hidden",),
        "max_share": ("hidden",),
        "participation_ratio_rotated": ("rotation", "hidden"),
        "max_share_rotated": ("rotation", "hidden"),
    }
    np.testing.assert_allclose(found["participation_ratio"].values, 1)
    rotated = found["participation_ratio_rotated"].values
    assert rotated.shape == (300, 4)
    assert 1 / np.mean(1 / rotated) == pytest.approx(2, rel=0.05)  # (M + 2) / 3
    assert np.mean(found["max_share_rotated"].values) < 0.7


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match=r"n_rotations = 0"):
        Privilege(n_rotations=0)
    with pytest.raises(InputError, match="needs a matrix W, which int has not"):
        Privilege()(make_run(), 3, KEY)
