"""F22–F24 by the numbers: how mates lie, who counts as the best, and what the null does."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import correlated_pairs as figure
from figures.toy_models import correlated_sets as sets
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

SQUARE = np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]])  # mates orthogonal
DIGONS = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])  # mates antipodal
ONE = np.array([[0.7, 0.7, 0, 0], [0, 0, 0.7, 0.7]])  # mates collapsed
HEXAGON = np.stack([f(np.radians([0, 60, 120, 180, 240, 300])) for f in (np.cos, np.sin)])


@pytest.fixture
def trained(monkeypatch):
    """Three seeds in each of three worlds at two densities; two of four features, one of six."""
    monkeypatch.setattr(figure, "exact_losses", lambda world, n_sets: world["loss_ranking"])
    W = np.full((3, 2, 3, 2, 6), np.nan)
    W[0, 0, :, :, :4] = [SQUARE, DIGONS, SQUARE]
    W[0, 1, :, :, :4] = [ONE, DIGONS, SQUARE]
    W[1, :, :, :, :4] = [SQUARE, SQUARE, DIGONS]
    W[2] = HEXAGON
    loss = np.broadcast_to([1.0, 2.0, 1.005], (3, 2, 3)).copy()
    cells = ("world", "p_active", "seed")
    variables = {
        "W": ((*cells, "hidden", "feature"), W),
        "norm": ((*cells, "feature"), np.linalg.norm(W, axis=-2)),
        "loss": (cells, loss),
        "loss_ranking": (cells, loss),
        "diverged": (cells, np.zeros(loss.shape, int)),
    }
    coords = {
        "p_active": [0.02, 0.35],
        "seed": [5, 6, 7],
        "kind": ("world", ["correlated", "independent", "independent"]),
        "n_sets": ("world", [2, 2, 3]),
        "n_features": ("world", [4, 4, 6]),
    }
    return xr.Dataset(variables, coords)


def test_cosines_within_sets_and_across_are_told_apart():
    C = sets.cosines(SQUARE)
    np.testing.assert_allclose(sets.within(C, 2), [0, 0], atol=1e-12)
    np.testing.assert_allclose(np.sort(sets.across(C, 2)), [-1, -1, 0, 0], atol=1e-12)
    assert sets.within(C, 1).size == 6 and sets.within(C, 4).size == 0
    assert np.isnan(sets.cosines(np.array([[1.0, 0.01], [0, 0]]))[0, 1])  # no direction


def test_turning_a_picture_keeps_its_angles():
    W = np.random.default_rng(0).normal(size=(2, 5))
    turned = sets.canonical(W)
    np.testing.assert_allclose(turned.T @ turned, W.T @ W, atol=1e-12)
    assert turned[1, 0] > 0 and abs(turned[0, 0]) < 1e-12 and turned[0, 1] < 0


@pytest.mark.parametrize(
    ("mates", "said"),
    [
        ([0.01, -0.04], "orthogonal"),
        ([-1, -0.99, -1], "antipodal"),
        ([0.43, 0.44], "side by side"),
        ([0.99, 0.1, 1.0], "2 of 3 collapsed"),
        ([0.0, -1.0], "mixed"),
        ([np.nan, np.nan], "not there (diverged or dropped)"),
    ],
)
def test_arrangements_have_names(mates, said):
    assert figure.arrangement(np.array(mates)) == said


def test_claim_says_how_mates_lie_and_where(trained):
    found = figure.analyse(trained)
    assert figure.claim(found) == (
        "Members of two correlated pairs are orthogonal at density 0.02 and collapsed at 0.35"
    )
    null = figure.claim(found.isel(world=[1]))
    assert null == "Members of two independent pairs are orthogonal at density 0.02–0.35"


def test_seeds_as_low_as_the_best_are_counted_without_it(trained):
    found = figure.analyse(trained)
    assert found["best_seed"].values.tolist() == [[5, 5]] * 3
    np.testing.assert_allclose(found["share_of_seeds"], 0.5)
    assert np.all(found["n_of_seeds"] == 2)


def test_null_tells_how_often_independent_features_lie_so_by_chance(trained):
    found = figure.analyse(trained)
    np.testing.assert_allclose(found["null_share"][0], [2 / 3, 0])
    assert np.isnan(found["null_share"][1:]).all()
    caption = " ".join(figure.caption(found))
    assert "lie as the best ones of two correlated pairs in 33%" in caption
    assert "their best seed makes a regular one, of equal gaps, at 0.02 and 0.35" in caption


def test_a_panel_prints_its_angles_and_a_diverged_one_says_so(trained):
    lost = trained.copy(deep=True)
    lost["diverged"][0, 1] = 1
    found = figure.analyse(lost)
    assert "not there (diverged or dropped) at 0.35" in figure.claim(found)
    drawn = figure.draw(found)
    texts = [ax.get_xlabel() for ax in drawn.axes]
    assert texts[0] == "mates 90°; others 90–180°\n50% of 2 others (9%–91%)"
    assert texts[1] == "all runs diverged"
    dots = drawn.axes[0].collections
    assert len(dots) == 4 and len(drawn.axes[4].collections) == 6


def test_one_seed_has_no_others(trained):
    found = figure.analyse(trained.isel(seed=[0]))
    assert figure._counts(found.isel(world=0, p_active=0)) == "mates 90°; others 90–180°"


def test_sets_that_are_no_pairs_are_refused():
    for given, told in (
        ("zip.world.n_features=[4, 4, 6, 4, 5]", "n_features = 5, n_sets = 3: give sets of 2"),
        ("importance=0.5", "about importance = 1.0 alone"),
    ):
        with pytest.raises(InputError, match=told):
            planned(entry_of("correlated-pairs"), "", [given])
