"""Polytopes from hand-made models: what counts as formed, how it is laid and what is drawn."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from scipy.stats import ortho_group

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import polytopes as figure
from figures.toy_models.polytopes_ideals import (
    ARRANGEMENTS,
    formed,
    laid_over,
    null_vectors,
)
from figures.toy_models.polytopes_solid import edges_of
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

EVERY = pytest.mark.parametrize(
    "arrangement", ARRANGEMENTS.values(), ids=lambda arrangement: arrangement.name
)


def dimensionality(W):
    """Return ‖W_i‖² / Σ_j (Ŵ_i·W_j)²."""
    G = W.T @ W
    return np.diag(G) ** 2 / np.maximum(np.sum(G**2, axis=1), 1e-9)


def moved(arrangement, noise=0.0, seed=0):
    """Return an arrangement's corners turned, mixed and made 1.1 long, and the order."""
    rng = np.random.default_rng(seed)
    F, M = arrangement.size
    order = rng.permutation(F)
    W = 1.1 * ortho_group.rvs(M, random_state=seed) @ arrangement.corners[:, order]
    return W + noise * rng.normal(size=W.shape), order


@EVERY
def test_exact_coordinates_split_the_dimensions(arrangement):
    W, (F, M) = arrangement.corners, arrangement.size
    np.testing.assert_allclose(dimensionality(W), arrangement.dimensionality, atol=1e-6)
    assert arrangement.dimensionality.sum() == pytest.approx(M)
    if M == 2:
        exact, _, angle = null_vectors(W, W)
        np.testing.assert_allclose(W @ exact.T, 0, atol=1e-12)
        assert (len(exact), angle) == (F - M, pytest.approx(0, abs=1e-5))


@EVERY
def test_a_moved_arrangement_is_formed_and_laid_back(arrangement):
    W, _ = moved(arrangement)
    assert formed(W, arrangement)
    laid = laid_over(W, arrangement)
    np.testing.assert_allclose(laid.W, 1.1 * arrangement.corners, atol=1e-6)
    chosen = W[:, laid.features]
    np.testing.assert_allclose(chosen.T @ chosen, laid.W.T @ laid.W, atol=1e-9)
    assert laid.distance < 1e-6


def test_what_lacks_a_feature_or_is_not_finite_is_not_formed():
    arrangement = ARRANGEMENTS[5, 3]
    W, _ = moved(arrangement)
    for value in (0.0, np.nan):
        other = W.copy()
        other[:, 0] = value
        assert not formed(other, arrangement)
    assert not formed(np.eye(3, 5), arrangement)


def test_null_vectors_of_a_square_are_one_for_each_digon():
    W = ARRANGEMENTS[4, 2].corners
    exact, own, angle = null_vectors(W, np.diag([1.0, 1.0]) @ W + 0.01 * np.eye(2, 4))
    np.testing.assert_allclose(exact * 2**0.5, [[1, 0, 1, 0], [0, 1, 0, 1]], atol=1e-9)
    assert 0 < angle < 1
    np.testing.assert_allclose(own, exact, atol=0.01)


def test_edges_of_solids_are_counted_and_flat_ones_have_none():
    for size, n_edges in (((5, 3), 9), ((7, 3), 15), ((6, 3), 12)):
        seen, hidden, faces = edges_of(ARRANGEMENTS[size].corners)
        assert len(seen) + len(hidden) == n_edges
        assert hidden and 0 < len(faces) < n_edges * 2 // 3
    assert edges_of(np.zeros((3, 5)))[0] == []


def sweep(broken=(), sizes=((5, 3), (4, 2)), n_seeds=3, noise=0.004):
    """Return a dataset in which all seeds form all at density 0.5, except `broken` sizes."""
    p = [0.1, 0.5]
    shape = (len(sizes), len(p), n_seeds)
    W, D = np.full((*shape, 3, 7), np.nan), np.full((*shape, 7), np.nan)
    for k, (F, M) in enumerate(sizes):
        W[k, ..., :M, :F] = np.eye(M, F)
        for s in range(n_seeds):
            if (F, M) not in broken:
                W[k, 1, s, :M, :F] = moved(ARRANGEMENTS[F, M], noise * (s + 1), s)[0]
        for at in np.ndindex(shape[1:]):
            D[k][at][:F] = dimensionality(W[k][at][:M, :F])
    cells = ("size", "p_active", "seed")
    rank = np.broadcast_to(1.0 + np.arange(n_seeds), shape)
    arrays = {"W": ((*cells, "hidden", "feature"), W), "loss": (cells, rank.copy())}
    arrays["feature_dimensionality"] = ((*cells, "feature"), D)
    arrays |= {"loss_ranking": (cells, rank.copy()), "diverged": (cells, np.zeros(shape, int))}
    coords = {"p_active": p, "seed": np.arange(n_seeds)}
    coords |= {"n_features": ("size", [F for F, _ in sizes])}
    coords |= {"n_hidden": ("size", [M for _, M in sizes])}
    return xr.Dataset(arrays, coords)


def test_the_density_where_most_seeds_form_it_is_drawn_and_counted():
    found = figure.analyse(sweep())
    np.testing.assert_array_equal(found["share"], [[0, 1], [0, 1]])
    np.testing.assert_array_equal(found["density"], [0.5, 0.5])
    assert found["is_best"].all()
    np.testing.assert_allclose(found["D_trained"][0, :5], [2 / 3] * 3 + [0.5] * 2, atol=0.02)
    said = figure.claim(found)
    assert "forms two arrangements, each in 100% of seeds at its best density: D_i of the" in said
    assert "triangular bipyramid is 0.67 and 0.50" in said
    assert "not 0.60; no D_i is more than 0.0" in said
    assert any("formed by 3 of 3 seeds" in part for part in figure.caption(found))


def test_what_no_seed_forms_is_said_and_drawn_from_exact_coordinates_alone():
    found = figure.analyse(sweep(broken=[(5, 3)]))
    assert figure.claim(found).startswith("Training forms 1 of two arrangements, each in 100% of")
    assert "triangular bipyramid (5 → 3): formed by no seed at any density" in figure.caption(found)
    drawn = figure.draw(found)
    told = [text.get_text() for text in drawn.findobj(mpl.text.Text)]
    assert "formed by no seed" in told
    none = figure.analyse(sweep(broken=[(5, 3), (4, 2)]))
    assert figure.claim(none) == "Training forms none of two arrangements"
    assert figure.claim(none.isel(size=[1])) == "Training does not form the square"
    figure.draw(none)


def test_a_run_that_diverged_forms_nothing():
    runs = sweep(n_seeds=1)
    runs["diverged"][:] = 1
    found = figure.analyse(runs)
    assert figure.claim(found) == "Training forms none of two arrangements"
    assert found["share"].isnull().all()
    figure.draw(found)


def test_labels_at_the_corners_are_the_dimensionalities():
    found = figure.analyse(sweep(noise=0.0))
    drawn = figure.draw(found)
    solid = next(ax for ax in drawn.axes if ax.get_title().startswith("F18"))
    told = [text.get_text() for text in solid.texts]
    assert told.count("2/3") == told.count("0.67") == 3
    assert told.count("1/2") == told.count("0.50") == 2


def test_sizes_without_an_arrangement_are_refused():
    with pytest.raises(InputError, match="9 → 3: the figure knows 5 → 3, 7 → 3"):
        overrides = ["zip.size.n_features=[9]", "zip.size.n_hidden=[3]"]
        planned(entry_of("polytopes"), "", overrides)
