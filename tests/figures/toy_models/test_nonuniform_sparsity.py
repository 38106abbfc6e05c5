"""F20, F21 trained, by the numbers: which branch a model is on, and what is said of the change."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import nonuniform_sparsity as figure
from toymodels.errors import InputError
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, NEITHER, PENTAGON
from toymodels.theory import regular_polygon

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

GON = regular_polygon(5)
PAIRS = np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]])
T = np.array([0.1, 0.2, 0.4, 1.0])
# Losses of both branches; they cross where t² = 0.2 · 0.4, and the pentagon ends above 0.1.
LOSS = np.array([[np.nan, 2.0, 2.0, 2.0], [0.5, 1.0, 4.0, 8.0]])


@pytest.fixture
def exact():
    along = ("branch", "relative_density")
    W = np.broadcast_to(np.stack([GON, PAIRS])[:, None], (2, 4, 2, 5))
    arrays = {
        "loss": (along, LOSS),
        "W": ((*along, "hidden", "feature"), W),
        "b": ((*along, "feature"), np.zeros((2, 4, 5))),
        "crossing": ("baseline", [0.2 * np.sqrt(2)]),
        "pentagon_end": ("baseline", [0.15]),
        "slope": (("baseline", "branch"), [[0.0, 2.0]]),
    }
    return xr.Dataset(arrays, {"relative_density": T, "baseline": [0.05]})


@pytest.fixture
def started():
    """Two models from each branch: the pentagon stays where it is there, one of the digons ever."""
    W = np.broadcast_to(np.stack([GON, PAIRS])[:, None, None], (2, 4, 2, 2, 5)).copy()
    loss = np.nan_to_num(np.repeat(LOSS[..., None], 2, -1), nan=9.0)
    W[1, :, 0], loss[1, :, 0] = GON, 2.0
    cells = ("branch", "relative", "seed")
    return xr.Dataset(
        {"W": ((*cells, "hidden", "feature"), W), "loss": (cells, loss)}
    ).assign_coords(relative=T)


@pytest.fixture
def trained():
    """Three seeds at each density: a pentagon, digons, and what is on no branch."""
    cells = ("relative_p_active", "seed")
    W = np.broadcast_to(np.stack([GON, PAIRS, GON]), (4, 3, 2, 5))
    loss = np.stack([*np.nan_to_num(LOSS, nan=3.0), np.full(4, 9.0)], axis=-1)
    b = np.zeros((4, 3, 5))
    b[2, 1, -1] = 0.1
    variables = {
        "W": ((*cells, "hidden", "feature"), W),
        "b": ((*cells, "feature"), b),
        "loss": (cells, loss * 1.01),
        "diverged": (cells, np.zeros((4, 3), int)),
    }
    coords = {"relative_p_active": T, "seed": [0, 1, 2], "base_p_active": 0.05}
    return xr.Dataset(variables, coords | {"started_seeds": 2, "started_steps": 9, "points": 4})


@pytest.fixture
def found(trained, exact, started):
    parts = {"exact": exact, "started": started}
    return figure.analyse(trained.isel(relative_p_active=[2, 0, 1, 3]), parts).assign_coords(
        {k: trained[k] for k in ("started_seeds", "started_steps")}
    )


def test_models_are_on_a_branch_that_is_there_and_as_low(found):
    neither = len(BRANCHES)
    kinds = found["random_branch"].values
    assert kinds[0].tolist() == [neither, DIGONS, neither]  # the pentagon has ended
    assert kinds[1:].tolist() == [[PENTAGON, DIGONS, neither]] * 3
    assert found["best_branch"].values.tolist() == [DIGONS, DIGONS, PENTAGON, PENTAGON]
    np.testing.assert_allclose(found["share"][DIGONS], 1 / 3)
    np.testing.assert_allclose(found["share"][PENTAGON], [0, 1 / 3, 1 / 3, 1 / 3])


def test_a_loss_two_percent_off_is_on_no_branch(exact):
    kinds = figure.branch_of(GON[None], np.array([2.05]), np.array([0.4]), exact)
    assert kinds.tolist() == [NEITHER]


def test_models_that_started_on_a_branch_stay_or_leave(found):
    np.testing.assert_allclose(found["stays"], [[0, 1, 1, 1], [0.5] * 4])


def test_an_output_without_a_bias_is_dead_where_nothing_raises_it(found):
    assert found["dead"].values[:, 1].tolist() == [True, True, False, True]
    assert not found["dead"].values[:, 0].any()
    assert "in 75% of trained digons the output of feature 5 is dead" in " ".join(
        figure.caption(found)
    )


def test_claim_says_both_crossings_and_where_the_best_models_change(found):
    assert figure.claim(found) == (
        "Pentagon and two digons cross where feature 5 is 3.54 times sparser (the paper: 2.5); "
        "the best of 3 trained models changes between 2.50 and 5.00 times"
    )
    other = found.assign_coords(density=0.1, baseline=[0.1])
    assert "the paper" not in figure.claim(other)
    nowhere = found.assign(crossing=found["crossing"] * np.nan)
    assert figure.claim(nowhere).startswith("At density 0.05 of the four others, pentagon and")
    assert figure.claim(found.assign(n=found["n"] * 0)) == "Every run diverged"


def test_claim_counts_where_the_best_models_change_more_than_once(found):
    often = found.assign(best_branch=("random_at", [PENTAGON, DIGONS, PENTAGON, 2]))
    assert figure.claim(often).endswith(
        "is a pentagon at 2, digons at 1 and neither at 1 of 4 densities"
    )


def test_figure_draws_trained_models_over_the_branches(found):
    drawn = figure.draw(found)
    named = {ax.get_title() or ax.get_ylabel(): ax for ax in drawn.axes}
    losses = named["trained models (dots) on the exact branches (lines)"]
    dots = sum(len(of.get_offsets()) for of in losses.collections)
    assert dots == found["random_loss"].size
    shares = named["share of models"]
    np.testing.assert_allclose(shares.containers[1].lines[0].get_ydata(), 1 / 3)
    assert "pentagon: the best trained\nat each of 3 densities" in named
    texts = " ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))
    assert "3.54×" in texts and "paper 2.5×" in texts


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("points=1", "points = 1 must be at least 2"),
        ("grid.features.p_active.relative=[9.0]", "relative_p_active = 9.0: give numbers from"),
        ("features.p_active.base=0.5", "p_active.base = 0.5: give a density above 0, up to 0.25"),
        ("importance=0.5", "about importance = 1.0 alone"),
    ],
)
def test_what_cannot_be_drawn_is_refused(override, told):
    with pytest.raises(InputError, match=told):
        planned(entry_of("nonuniform-sparsity"), "", [override])
