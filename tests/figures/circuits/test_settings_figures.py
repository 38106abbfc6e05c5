"""Figures of circuits without a sweep, by the numbers they draw and what they refuse."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.circuits import circuits_interference, rotations_samples, step_function
from figures.kit.settings import changed
from toymodels.circuits.assignment import prime_steps
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


def test_settings_take_numbers_and_lists():
    known = {"width": 1000, "n_active": [1, 2, 3], "error": "x_active"}
    now, others = changed(known, ("width=800", "n_active=2", "seed = 7", "error=on_active"))
    assert now == {"width": 800, "n_active": [2], "error": "on_active"}
    assert others == ["seed = 7"]
    assert changed(known, ()) == (known, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht=800", "no key for widht=800"),
        ("width=800.5", "width = 800.5: give a whole number"),
        ("n_layers=true", "n_layers = true: give a whole number"),
        ("n_active=[]", "give whole numbers"),
        ("n_examples=0", "n_examples = 0 must be at least 1"),
        ("seed=-1", "seed = -1 must be at least 0"),
        ("n_circuits=558", "use n_circuits <= 557"),
        ("n_active=600", "n_active = 600"),
        ("width=801", "width = 801 is not divisible by d = 4"),
    ],
)
def test_settings_that_are_not_possible_are_refused_with_the_way_out(text, message):
    with pytest.raises(InputError, match=message):
        figures.rotations_samples.compute(overrides=(text,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_seeds=0", "n_seeds = 0 must be at least 1"),
        ("seed=-1", "seed = -1 must be at least 0"),
        ("redundancies=[0, 2]", "redundancies = 0 must be at least 1"),
        ("width=[200]", "width has 1 values and n_circuits 2"),
        ("width=[202, 240]", "width = 202 is not divisible by d = 4"),
    ],
)
def test_an_appendix_that_is_not_possible_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        figures.circuits_interference.compute(overrides=(text,), version="tiny")


@pytest.mark.parametrize("text", ["seed=3", "gain=2"])
def test_the_step_has_nothing_to_set(text):
    with pytest.raises(InputError, match=r"step-function has no key for .* nothing to set"):
        figures.step_function.compute(overrides=(text,))


# The appendix.


@pytest.fixture(scope="module")
def interference():
    texts = ("width=[1000, 1400]", "n_circuits=[500, 200]", "redundancies=[2, 6, 9]", "n_seeds=2")
    return figures.circuits_interference.compute(overrides=texts)


def test_overlap_of_the_appendix_is_counted_over_all_pairs(interference):
    held = np.zeros((500, 250))
    held[np.arange(500)[:, None], prime_steps(500, 250, 6)] = 1
    shared = held @ held.T
    np.fill_diagonal(shared, 0)
    expected = (shared**2).sum() / (500 * 499) / 36
    assert interference["overlap"].values[0, 1] == pytest.approx(expected)


def test_own_weights_interfere_as_the_corrected_estimate_says(interference):
    """Uneven usage is all that the published estimate lacks there; shared weights have more."""
    ratio = interference["by_corrected"]
    np.testing.assert_allclose(ratio.sel(weights="own", redundancy=[2, 6]), 1, atol=0.06)
    estimated = interference["by_estimated"].sel(weights="own", redundancy=2)
    assert estimated.values[1] > 1.5  # 200 circuits on 350 copies: 50 of them hold two circuits
    assert ratio.sel(weights="shared", redundancy=6).values[0] > 1.2


def test_networks_without_room_are_left_out_of_the_appendix(interference):
    assert np.isnan(interference["mean"].sel(redundancy=9).values[:, 0]).all()
    assert np.isfinite(interference["mean"].sel(redundancy=6).values).all()
    t = 1 / 250 - 1 / (6 * 500)
    estimated = interference["estimated"].sel(redundancy=6).values[:, 0]
    np.testing.assert_allclose(estimated, np.array([1, 1, 2]) * (500 * t**2 + t))


def test_appendix_figure_draws_measured_over_estimated(interference):
    drawn = circuits_interference.draw(interference)
    bars = [bar.lines[0] for bar in drawn.axes[0].containers]
    x = np.concatenate([np.asarray(bar.get_xdata(), float) for bar in bars])
    y = np.concatenate([np.asarray(bar.get_ydata(), float) for bar in bars])
    own = interference.sel(weights="own")
    kept = np.isfinite(own["mean"].values.T)
    np.testing.assert_allclose(y, own["mean"].values.T[kept])
    np.testing.assert_allclose(x, own["estimated"].values.T[kept])


def test_the_appendix_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    whole = figures.circuits_interference.compute(version="tiny")
    measure, calls = circuits_interference.measure, []

    def stopped(*given):
        if given[0] == 60:  # the second network
            raise KeyboardInterrupt
        return measure(*given)

    monkeypatch.setattr(circuits_interference, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        figures.circuits_interference.compute(version="tiny", out=tmp_path)
    monkeypatch.setattr(
        circuits_interference, "measure", lambda *given: calls.append(given[0]) or measure(*given)
    )
    again = figures.circuits_interference.compute(version="tiny", out=tmp_path)
    assert set(calls) == {60}
    np.testing.assert_array_equal(again["measured"], whole["measured"])


def test_the_claim_of_the_appendix_gives_both_ratios_at_the_posts_redundancy(interference):
    said = circuits_interference.claim(interference)
    for name in ("estimated", "corrected"):
        means = interference[f"by_{name}"].sel(redundancy=6).mean("network").values
        assert "{:.2f}, {:.2f} and {:.2f}".format(*means) in said
    assert said.startswith("At S = 6 ")
    other = interference.sel(redundancy=[2]) + 1
    assert circuits_interference.claim(other.assign_coords(redundancy=[2])).startswith("At S = 2 ")


# Samples.


@pytest.fixture(scope="module")
def samples():
    return figures.rotations_samples.compute(overrides=("n_examples=2", "n_active=[1, 3]"))


def test_sampled_vectors_turn_by_a_constant_angle_and_start_exact(samples):
    true = samples["true"].values
    np.testing.assert_allclose(np.linalg.norm(true, axis=-1), 1, rtol=1e-5)
    turn = true[..., 0] + 1j * true[..., 1]
    step = turn[..., 1:] / turn[..., :-1]
    np.testing.assert_allclose(step, np.broadcast_to(step[..., :1], step.shape), atol=1e-5)
    difference = samples["estimated"].values - true
    np.testing.assert_allclose(samples["error"], np.hypot(*difference.T).T, rtol=1e-6)
    assert samples["error"].sel(n_active=1).values[:, :2].max() < 1e-5
    assert samples["error"].sel(layer=5).values.max() > 0.3


def test_sampled_vectors_are_drawn_hollow_where_they_are_lost(samples):
    drawn = rotations_samples.draw(samples)
    for k, ax in enumerate(drawn.axes):
        one = samples.isel(n_active=k // 2, example=k % 2)
        (dots,) = ax.collections
        np.testing.assert_allclose(dots.get_offsets(), one["estimated"])
        is_white = np.asarray(dots.get_facecolor())[:, :3].min(axis=1) == 1
        np.testing.assert_array_equal(is_white, one["error"].values > 1)
        arrows = [text.xy for text in ax.texts]
        np.testing.assert_allclose(arrows, one["true"].values[1:])


def test_the_claim_about_samples_counts_what_is_read_better_than_zero():
    error = np.zeros((2, 3, 4))
    error[1, 0, 2:], error[:, 1, 3] = 2.0, 1.5
    dataset = xr.Dataset(
        {"error": (("n_active", "example", "layer"), error)},
        {"n_active": [1, 2], "layer": [0, 1, 2, 3], "n_circuits": 45},
    )
    assert rotations_samples.claim(dataset) == (
        "Of 3 vectors each, with 1 and 2 of 45 circuits active, 3 and 2 are read with an error "
        "below 1 in layer 2 and 2 and 1 in layer 3"
    )
    assert "0 and 0 in layer 3" in rotations_samples.claim(dataset + 2)


# The step.


def test_step_is_a_clipped_line_and_the_difference_of_its_neurons():
    dataset = figures.step_function.compute()
    alpha = dataset["alpha"].values
    np.testing.assert_allclose(dataset["step"], np.clip(2 * alpha - 0.5, 0, 1), atol=1e-6)
    neurons = np.maximum([2 * alpha - 0.5, 2 * alpha - 1.5], 0)
    np.testing.assert_allclose(dataset["activation"].T, neurons, atol=1e-6)
    drawn = step_function.draw(dataset)
    heights = [line.get_ydata() for line in drawn.axes[0].lines]
    np.testing.assert_allclose(heights, [alpha, *neurons, dataset["step"]], atol=1e-6)


def test_the_claim_about_the_step_says_where_it_ends():
    dataset = figures.step_function.compute(fast=True)
    assert dataset.attrs["claim"] == (
        "Two ReLUs send on-indicators below 0.25 to 0 and those above 0.75 to 1"
    )
    assert "FAST" not in dataset.attrs["caption"]  # nothing is smaller
    wider = dataset.assign(end_of_0=0.4)
    assert "below 0.40 to 0" in step_function.claim(wider)
