"""F22 to F26: features that come in sets, trained and by their exact loss.

Tolerances are those of independent runs of the same claims (best of 32 seeds of a plain loop).
"""

import numpy as np
import pytest

import figures
from figures.toy_models.correlated_sets import cosines, set_of
from toymodels.exact import expected_loss_in_sets

pytestmark = pytest.mark.claims

P = (0.02, 0.04, 0.08, 0.12, 0.17, 0.22, 0.3, 0.4, 0.6, 0.8)
TOGETHER, APART, THREE, NULL = range(4)  # worlds of `pairs`


@pytest.fixture(scope="module")
def pairs():
    return figures.correlated_pairs.compute(
        **{
            "zip.world.features.kind": [
                "correlated",
                "anticorrelated",
                "correlated",
                "independent",
            ],
            "zip.world.features.n_sets": [2, 2, 3, 3],
            "zip.world.n_features": [4, 4, 6, 6],
            "grid.p_active": [0.01, 0.02, 0.04, 0.2, 0.35],
            "grid.seed.range": 24,
        }
    )


def weights(cell):
    n = int(cell["n_features"])
    return cell["W"].transpose("hidden", "feature").values[:, :n], cell["b"].values[:n]


def gaps(W):
    angles = np.sort(np.degrees(np.arctan2(W[1], W[0])))
    return np.sort(np.diff([*angles, angles[0] + 360]))


@pytest.mark.parametrize("p", [0.01, 0.02, 0.04, 0.2])
def test_correlated_features_are_orthogonal_and_pairs_share_their_lines(pairs, p):
    cell = pairs.isel(world=TOGETHER).sel(p_active=p)
    W, _ = weights(cell)
    C = cosines(W)
    assert np.all(np.abs([C[0, 1], C[2, 3]]) < 0.05)
    assert np.all(C[:2, 2:].min(axis=1) < -0.97)  # each has an antipode in the other pair


def test_correlated_pairs_collapse_where_they_are_dense(pairs):
    W, _ = weights(pairs.isel(world=TOGETHER).sel(p_active=0.35))
    C = cosines(W)
    np.testing.assert_allclose([C[0, 1], C[2, 3]], 1, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 2**-0.5, atol=0.02)


def test_anticorrelated_features_are_antipodal_at_no_loss(pairs):
    for p in pairs["p_active"].values:
        cell = pairs.isel(world=APART).sel(p_active=p)
        W, _ = weights(cell)
        C = cosines(W)
        np.testing.assert_allclose([C[0, 1], C[2, 3]], -1, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1, atol=1e-2)
        assert float(cell["loss"]) < 1e-8


@pytest.mark.parametrize(("p", "bias"), [(0.02, -0.21), (0.04, -0.19)])
def test_three_correlated_pairs_are_a_hexagon_with_mates_side_by_side(pairs, p, bias):
    W, b = weights(pairs.isel(world=THREE).sel(p_active=p))
    C = cosines(W)
    np.testing.assert_allclose([C[0, 1], C[2, 3], C[4, 5]], 0.43, atol=0.04)
    np.testing.assert_allclose(gaps(W), [56] * 3 + [64] * 3, atol=3)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 0.97, atol=0.03)
    np.testing.assert_allclose(b, bias, atol=0.03)


def test_independent_features_make_a_regular_hexagon_where_sparse(pairs):
    """Where the paper remarks that they do not; their hexagon has equal gaps and longer columns."""
    W, b = weights(pairs.isel(world=NULL).sel(p_active=0.02))
    np.testing.assert_allclose(gaps(W), 60, atol=1.5)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1.26, atol=0.02)
    np.testing.assert_allclose(b, -0.53, atol=0.03)


@pytest.fixture(scope="module")
def bases():
    densities = [0.02, 0.05, 0.1]
    return figures.correlated_bases.compute(**{"grid.p_active": densities, "grid.seed.range": 4})


@pytest.mark.parametrize(("p", "mean"), [(0.02, 0.001), (0.05, 0.033), (0.1, 0.051)])
def test_each_correlated_set_is_a_local_basis(bases, p, mean):
    cell = bases.isel(world=0).sel(p_active=p)
    assert float(cell["within_mean"]) == pytest.approx(mean, abs=0.004)
    assert float(cell["within_max"]) < 0.08
    assert 0.8 < float(cell["across_max"]) < 1.001
    assert np.all((cell["norm"] > 0.93) & (cell["norm"] < 1.02))


def test_independent_features_have_no_such_basis(bases):
    null = bases.isel(world=1)
    assert np.all(null["within_max"] > 0.95)


@pytest.fixture(scope="module")
def collapse():
    return figures.correlated_collapse.compute()


@pytest.mark.parametrize(
    ("p", "count"),
    list(zip(P, (0, 0, 1, 1, 2, 2, 2, 3, 3, 3), strict=True)),
)
def test_pairs_collapse_one_by_one(collapse, p, count):
    cell = collapse.sel(p_active=p)
    assert int(cell["n_collapsed"]) == count
    W, _ = weights(cell)
    of = set_of(6, 3)
    C = cosines(W)
    collapsed = [k for k in range(3) if C[2 * k, 2 * k + 1] > 0.95]
    if p < 0.4:  # beyond, three directions in two dimensions are shorter
        norm = np.linalg.norm(W, axis=0)[np.isin(of, collapsed)]
        np.testing.assert_allclose(norm, 2**-0.5, atol=0.03)


def test_the_last_boundary_is_not_the_papers(collapse):
    """The paper has all three collapsed from a density of about 0.25 on."""
    first, second, third = collapse["boundary"].values
    assert first == pytest.approx(0.071, abs=0.006)
    assert second == pytest.approx(0.140, abs=0.006)
    assert third == pytest.approx(0.394, abs=0.01)


def test_three_directions_are_pairs_then_a_triangle_then_pca(collapse):
    def directions(p):
        W, _ = weights(collapse.sel(p_active=p))
        return W[:, ::2], np.sort(gaps(W[:, ::2]))

    np.testing.assert_allclose(directions(0.4)[1], [90, 90, 180], atol=5)
    W, triangle = directions(0.6)
    np.testing.assert_allclose(triangle, 120, atol=4)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 0.62, atol=0.02)
    ratio = (collapse["loss_exact"] / collapse["loss_pca"]).values
    assert np.all(np.diff(ratio) > 0) and 0.99 < ratio[-1] < 1


def test_losses_of_samples_agree_with_the_exact_ones(collapse):
    exact = [
        expected_loss_in_sets(*weights(collapse.sel(p_active=p)), p, 3)
        for p in collapse["p_active"].values
    ]
    np.testing.assert_allclose(collapse["loss_exact"], np.array(exact, float), rtol=1e-5)
    # Two pairs are active in a thousand of 65,536 examples, or fewer: they carry most of the loss.
    np.testing.assert_allclose(collapse["loss"], exact, rtol=0.1)
