"""F26 by the numbers: counts of collapsed pairs, where they change, and what is said of it."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import correlated_collapse as figure
from toymodels.errors import InputError
from toymodels.theory import linear_loss_in_sets

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

P = [0.02, 0.1, 0.2, 0.8]
# Losses of seeds with 0, 1, 2, 3 collapsed pairs, by density; lines that cross in the logarithm.
LOSS = np.array([[1, 2, 4, 8], [2, 1, 4, 8], [9, 4, 2, 3], [9, 9, 4, 1.0]])


def model(n_collapsed):
    angles = np.array([0, 60, 120, 180, 240, 300.0])
    angles[1 : 2 * n_collapsed : 2] = angles[0 : 2 * n_collapsed : 2]
    return np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])


@pytest.fixture
def trained(monkeypatch):
    """One seed for each count, at four densities."""
    monkeypatch.setattr(figure, "exact_losses", lambda found, n_sets: found["loss_ranking"])
    W = np.broadcast_to([model(k) for k in range(4)], (4, 4, 2, 6))
    cells = ("p_active", "seed")
    variables = {
        "W": ((*cells, "hidden", "feature"), W),
        "b": ((*cells, "feature"), np.zeros((4, 4, 6))),
        "loss": (cells, LOSS),
        "loss_ranking": (cells, LOSS),
        "diverged": (cells, np.zeros((4, 4), int)),
    }
    coords = {"p_active": P, "seed": [5, 6, 7, 8], "panels": ("panels", [0.02, 0.09, 0.9])}
    return xr.Dataset(variables, coords | {"n_features": 6, "n_sets": 3, "n_hidden": 2})


def test_collapsed_pairs_of_the_best_seed_are_counted(trained):
    found = figure.analyse(trained.isel(p_active=[2, 0, 3, 1]))  # in any order
    assert found["p_active"].values.tolist() == P
    assert found["n_collapsed"].values.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(found["share_of_count"], 0.25)
    np.testing.assert_allclose(found["least_loss_of_count"], LOSS)
    assert float(found["loss_pca"][0]) == pytest.approx(linear_loss_in_sets(6, 2, 3, 0.02))


def test_boundaries_lie_where_losses_cross(trained):
    found = figure.analyse(trained)["boundary"].values
    # log₂ gains go from -1 to 1, from -2 to 1, and from log₂(2/3) to 2.
    share = np.array([1 / 2, 2 / 3, np.log2(1.5) / (np.log2(1.5) + 2)])
    low, high = np.array(P[:3]), np.array(P[1:])
    np.testing.assert_allclose(found, low ** (1 - share) * high**share)


def test_a_boundary_without_both_losses_lies_halfway_and_may_be_missing(trained):
    fewer = trained.copy(deep=True)
    fewer["diverged"][1, 0] = 1
    assert figure.analyse(fewer)["boundary"].values[0] == pytest.approx(np.sqrt(0.02 * 0.1))
    assert np.isnan(figure.analyse(trained.isel(p_active=[0, 1]))["boundary"].values[1:]).all()
    assert np.isnan(figure.analyse(trained.isel(p_active=[1]))["boundary"].values).all()


def test_claim_says_the_counts_and_how_near_pca_is(trained):
    found = figure.analyse(trained)
    ratio = 1 / linear_loss_in_sets(6, 2, 3, 0.8)
    assert figure.claim(found) == (
        "Of three correlated pairs in two dimensions, none is collapsed at density 0.02, one at "
        f"0.1, two at 0.2 and three at 0.8 (all of them from about 0.25 on, says the paper); at "
        f"0.8 the loss is {ratio:.3g} of PCA's"
    )
    lost = trained.assign(diverged=trained["diverged"] + 1)
    assert "nothing can be said" in figure.claim(figure.analyse(lost))


def test_caption_says_where_the_paper_and_we_differ(trained):
    said = " ".join(figure.caption(figure.analyse(trained)))
    at = figure.analyse(trained)["boundary"].values[2]
    assert f"the paper has all three collapsed from about 0.25 on, we from {at:.2g}" in said
    other = figure.analyse(trained).assign_coords(n_hidden=3)
    assert "the paper" not in " ".join(figure.caption(other))


def test_figure_draws_counts_regimes_and_losses(trained):
    found = figure.analyse(trained)
    drawn = figure.draw(found)
    by_label = {ax.get_ylabel() or ax.get_title(): ax for ax in drawn.axes}
    assert {"density 0.02", "density 0.1", "density 0.8"} < set(by_label)
    steps = by_label["collapsed pairs"].lines[0]
    np.testing.assert_array_equal(steps.get_ydata(), [0, 1, 2, 3])
    ratio = by_label["loss / PCA's"].lines[1].get_ydata()
    np.testing.assert_allclose(ratio, found["loss_exact"] / found["loss_pca"])
    strips = next(ax for ax in drawn.axes if len(ax.patches) > 5)
    assert [label.get_text() for label in strips.get_yticklabels()] == ["ours", "paper"]
    ours = [bar for bar in strips.patches if bar.get_y() > 0]
    np.testing.assert_allclose([bar.get_x() for bar in ours[1:]], found["boundary"])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("n_features=9", "n_features = 9, n_sets = 3: give sets of 2"),
        ("panels=[0.0]", r"panels holds 0.0: give densities above 0"),
        ("grid.p_active=[0.0, 0.1]", r"p_active = 0.0: give densities above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(override, told):
    with pytest.raises(InputError, match=told):
        planned(entry_of("correlated-collapse"), "", [override])
