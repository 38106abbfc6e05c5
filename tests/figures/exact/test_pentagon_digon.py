"""The figure `pentagon-digon`, by the numbers it draws."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import figures
from figures.command.findings import path_of
from figures.exact import pentagon_digon as figure
from figures.exact import pentagon_digon_panels as paint
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from sweeps.store import open_dataset
from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.exact import pentagon_digon as science
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, PENTAGON, densities

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

NEITHER = len(BRANCHES)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def tiny(out):
    return figures.pentagon_digon.compute(version="tiny", out=out)


@pytest.fixture(scope="module")
def kept():
    """The full figure's dataset, as it stands in the repository."""
    return open_dataset(path_of(entry_of("pentagon-digon")))


@pytest.fixture(scope="module")
def found():
    return figures.pentagon_digon.compute(fast=True)


def texts_of(drawn):
    return " | ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))


@pytest.mark.parametrize(("branch", "which"), [(PENTAGON, 4), (DIGONS, 0)])
def test_solutions_are_turned_and_not_changed(branch, which):
    W = np.random.default_rng(0).normal(size=(2, 5))
    turned = paint.canonical(W, branch)
    np.testing.assert_allclose(turned.T @ turned, W.T @ W, atol=1e-12)
    angle = np.arctan2(turned[1, which], turned[0, which])
    assert angle == pytest.approx(np.pi / 2 if branch == PENTAGON else np.pi / 4)


@pytest.mark.claims  # compiles for many seconds
def test_a_second_call_only_reads(tiny, out, monkeypatch):
    def refuse(*given):
        raise AssertionError("computed again")

    for name in ("branches", "thresholds", "descend_from_random"):
        monkeypatch.setattr(science, name, refuse)
    again = figures.pentagon_digon.compute(version="tiny", out=out)
    np.testing.assert_array_equal(again["random_loss"], tiny["random_loss"])


@pytest.mark.claims  # compiles for many seconds
def test_random_starts_are_those_of_the_seed(tiny):
    loss = tiny["random_loss"].values
    assert loss.shape == (1, 64)
    other = figure._random(tiny.assign_coords(seed=1), 0.4)["loss"].values
    same = figure._random(tiny, 0.4)["loss"].values
    np.testing.assert_array_equal(same, loss[0])
    assert np.mean(np.isclose(other, same, rtol=1e-6)) < 0.9  # start by start


def test_the_claim_says_where_feature_5_is_dropped_and_from_which_length(kept):
    assert figure.claim(kept) == (
        "Made 3.72 times sparser than the others (density 0.05), feature 5 jumps from length 1.16 "
        "to 0: two digons replace the pentagon"
    )
    half = kept.copy(deep=True)
    half["crossing"][:] = 0.5
    assert figure.claim(half).startswith("Made 2.00 times sparser")
    none = kept.assign(crossing=kept["crossing"] * np.nan)
    assert "trade places nowhere" in figure.claim(none)


def test_the_papers_number_is_drawn_only_at_its_density(kept):
    assert "paper" in texts_of(figure.draw(kept))
    other = kept.assign_coords(density=0.1)
    assert "paper" not in texts_of(figure.draw(other))
    assert not any("the paper" in part for part in figure.caption(other))


def test_figure_draws_into_given_axes(kept):
    given, axes = plt.subplots(1, 5)
    assert figures.pentagon_digon.draw(kept, axes) is given
    assert axes[4].get_ylabel() == "length ‖W₅‖"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps=3", "pentagon-digon has no key for steps=3. It has density"),
        ("starts=100", "starts = 100: give a multiple of 64"),
        ("density=0.5", r"density = 0.5: give numbers from 0.001 to 0.25"),
        ("random_at=[5.0]", "random_at = .*give numbers from 0.1 to 4"),
        ("points=1", "points = 1 must be at least 2"),
        ("seed=-1", "seed = -1 must be at least 0"),
    ],
)
def test_what_may_be_set_is_checked_before_anything_runs(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("pentagon-digon"), "", (override,))


@pytest.mark.claims
def test_losses_of_both_branches_are_those_of_their_weights(found):
    for branch in (PENTAGON, DIGONS):
        for k in (12, 20, 30):
            one = found.isel(branch=branch, relative_density=k)
            p = densities(float(found["density"]), one["relative_density"].item())
            exact = expected_loss_float64(one["W"].values, one["b"].values, p, 1.0)
            assert one["loss"].item() == pytest.approx(exact, rel=3e-5)


@pytest.mark.claims
def test_digons_are_just_below_their_closed_form_with_unit_norms(found):
    p, t = float(found["density"]), found["relative_density"].values
    unit = 2 * p**2 / 3 + p * t / 3 - (p * t) ** 2 / 4
    ratio = found["loss"].values[DIGONS] / unit
    ratio = ratio[~np.isnan(ratio)]
    assert ratio.size > 25 and np.all((ratio > 0.998) & (ratio < 1))


@pytest.mark.claims
def test_branches_change_places_once_and_where_they_are_said_to_cross(found):
    t, best = found["relative_density"].values, paint.lowest(found)
    last = np.flatnonzero(best[DIGONS])[-1]
    assert np.all(best[DIGONS] == (np.arange(len(t)) <= last))
    assert t[last] < paint.at_density(found, "crossing") < t[last + 1]
    assert paint.at_density(found, "crossing") == pytest.approx(0.2691, abs=2e-4)
    slope = found["slope"].sel(baseline=0.05).values
    across = [
        np.diff(of[last : last + 2])[0] / np.diff(np.log(t))[0] for of in found["loss"].values
    ]
    np.testing.assert_allclose(slope, across, rtol=0.05)


@pytest.mark.claims
def test_metastable_branches_end(found):
    t, alive = found["relative_density"].values, ~np.isnan(found["loss"].values)
    end = paint.at_density(found, "pentagon_end")
    assert t[alive[PENTAGON]][0] / (t[1] / t[0]) < end < t[alive[PENTAGON]][0]
    assert alive[PENTAGON, -1] and alive[DIGONS, 0]
    assert 1.7 < t[alive[DIGONS]][-1] < 2.4


@pytest.mark.claims
def test_crossings_move_up_with_the_density_of_the_others(found):
    assert np.all(np.diff(found["crossing"].values) > 0)
    assert np.all(found["pentagon_end"].values[1:] < found["crossing"].values[1:])
    assert paint.paper_density(found) == pytest.approx(0.092, abs=1e-3)


@pytest.mark.claims
def test_random_starts_find_both_branches_and_nothing_lower(found):
    t = np.log(found["relative_density"].values)
    least = np.log(np.nanmin(found["loss"].values, axis=0))
    for k, at in enumerate(found["random_at"].values):
        lowest = np.log(found["random_loss"].values[k].min())
        assert lowest > np.interp(np.log(at), t, least) - 1e-3
    kinds = found["random_branch"].sel(random_at=[0.22, 0.27, 0.4]).values
    assert np.all((kinds == PENTAGON).any(1) & (kinds == DIGONS).any(1))


@pytest.mark.claims
def test_figure_draws_its_numbers(found):
    drawn = figures.pentagon_digon.draw(found)
    texts = texts_of(drawn)
    for text in ("cross at 0.269\n(3.72× sparser)", "jumps 1.16 → 0", "for density 0.092"):
        assert text in texts
    assert "ends, 0.124" in texts and "FAST version" in texts
    losses = next(ax for ax in drawn.axes if ax.get_title() == "expected loss of both minima")
    curves = [line.get_ydata() for line in losses.lines if len(line.get_xdata()) > 10]
    for branch, (whole, full) in enumerate(zip(curves[::2], curves[1::2], strict=True)):
        np.testing.assert_allclose(whole, 1e5 / 5 * found["loss"].values[branch])
        np.testing.assert_array_equal(~np.isnan(full), paint.lowest(found)[branch])
    dots = sum(len(of.get_offsets()) for of in losses.collections)
    assert dots == found["random_loss"].size
