"""The figure `pentagon-digon`, by the numbers it draws."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import pentagon_digon as figure
from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.exact.pentagon_digon import DIGONS, PENTAGON, densities

mpl.use("Agg")
# It takes the time of a claim.
pytestmark = [pytest.mark.claims, pytest.mark.usefixtures("paper_style")]


@pytest.fixture(scope="module")
def found():
    return figure.compute(fast=True)


@pytest.mark.parametrize(("branch", "which"), [(PENTAGON, 4), (DIGONS, 0)])
def test_solutions_are_turned_and_not_changed(branch, which):
    W = np.random.default_rng(0).normal(size=(2, 5))
    turned = figure.canonical(W, branch)
    np.testing.assert_allclose(turned.T @ turned, W.T @ W, atol=1e-12)
    angle = np.arctan2(turned[1, which], turned[0, which])
    assert angle == pytest.approx(np.pi / 2 if branch == PENTAGON else np.pi / 4)


def test_losses_of_both_branches_are_those_of_their_weights(found):
    for branch in (PENTAGON, DIGONS):
        for k in (12, 20, 30):
            one = found.isel(branch=branch, relative_density=k)
            p = densities(figure.BASELINE, one["relative_density"].item())
            exact = expected_loss_float64(one["W"].values, one["b"].values, p, 1.0)
            assert one["loss"].item() == pytest.approx(exact, rel=3e-5)


def test_digons_are_just_below_their_closed_form_with_unit_norms(found):
    p, t = figure.BASELINE, found["relative_density"].values
    unit = 2 * p**2 / 3 + p * t / 3 - (p * t) ** 2 / 4
    ratio = found["loss"].values[DIGONS] / unit
    ratio = ratio[~np.isnan(ratio)]
    assert ratio.size > 25 and np.all((ratio > 0.998) & (ratio < 1))


def test_branches_change_places_once_and_where_they_are_said_to_cross(found):
    t, best = found["relative_density"].values, figure.lowest(found)
    last = np.flatnonzero(best[DIGONS])[-1]
    assert np.all(best[DIGONS] == (np.arange(len(t)) <= last))
    assert t[last] < figure.at_baseline(found, "crossing") < t[last + 1]
    assert figure.at_baseline(found, "crossing") == pytest.approx(0.2691, abs=2e-4)
    slope = found["slope"].sel(baseline=figure.BASELINE).values
    across = [
        np.diff(of[last : last + 2])[0] / np.diff(np.log(t))[0] for of in found["loss"].values
    ]
    np.testing.assert_allclose(slope, across, rtol=0.05)


def test_metastable_branches_end(found):
    t, alive = found["relative_density"].values, ~np.isnan(found["loss"].values)
    end = figure.at_baseline(found, "pentagon_end")
    assert t[alive[PENTAGON]][0] / (t[1] / t[0]) < end < t[alive[PENTAGON]][0]
    assert alive[PENTAGON, -1] and alive[DIGONS, 0]
    assert 1.7 < t[alive[DIGONS]][-1] < 2.4


def test_crossings_move_up_with_the_density_of_the_others(found):
    assert np.all(np.diff(found["crossing"].values) > 0)
    assert np.all(found["pentagon_end"].values[1:] < found["crossing"].values[1:])
    assert figure.paper_baseline(found) == pytest.approx(0.092, abs=1e-3)


def test_random_starts_find_both_branches_and_nothing_lower(found):
    t = np.log(found["relative_density"].values)
    least = np.log(np.nanmin(found["loss"].values, axis=0))
    for k, at in enumerate(found["random_density"].values):
        lowest = np.log(found["random_loss"].values[k].min())
        assert lowest > np.interp(np.log(at), t, least) - 1e-3
    kinds = found["random_branch"].sel(random_density=[0.22, 0.27, 0.4]).values
    assert np.all((kinds == PENTAGON).any(1) & (kinds == DIGONS).any(1))


def test_figure_draws_its_numbers(found):
    drawn = figure.draw(found)
    texts = " | ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))
    for text in ("cross at 0.269\n(3.72× sparser)", "jumps 1.16 → 0", "for density 0.092"):
        assert text in texts
    assert "ends, 0.124" in texts and "FAST version" in texts
    losses = next(ax for ax in drawn.axes if "first-order" in ax.get_title())
    curves = [line.get_ydata() for line in losses.lines if len(line.get_xdata()) > 10]
    for branch, (whole, full) in enumerate(zip(curves[::2], curves[1::2], strict=True)):
        np.testing.assert_allclose(whole, 1e5 / 5 * found["loss"].values[branch])
        np.testing.assert_array_equal(~np.isnan(full), figure.lowest(found)[branch])
    dots = sum(len(of.get_offsets()) for of in losses.collections)
    assert dots == found["random_loss"].size


def test_figure_draws_into_given_axes(found):
    given, axes = plt.subplots(1, 5)
    assert figure.draw(found, ax=axes) is given
    assert axes[4].get_ylabel() == "length ‖W₅‖"


def test_there_is_nothing_to_set():
    with pytest.raises(InputError, match="pentagon-digon has nothing to set"):
        figure.compute(overrides=("steps=3",))
