"""The figures of the group "circuits" with one network, by the numbers they draw."""

import jax
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from figures import (
    circuits_activity,
    circuits_interference,
    indicator_error,
    rotations_error,
    rotations_samples,
    step_function,
    style,
)
from sweeps import simulating
from toymodels.circuits.assignment import prime_steps
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

TEXTS = (
    *("width=200", "n_circuits=60", "redundancy=4", "n_layers=3", "grid.seed.range=3"),
    "zip.active.n_samples=[60, 120, 120]",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def errors(folder):
    return rotations_error.compute(overrides=TEXTS, out=folder)


def test_a_cell_of_the_run_equals_the_solo_run(errors):
    for seed, n_active, n_samples in ((0, 1, 60), (2, 3, 120)):
        solo = simulate_rotations(
            jax.random.key(seed),
            n_circuits=60,
            width=200,
            redundancy=4,
            n_active=n_active,
            n_layers=3,
            n_samples=n_samples,
        )
        cell = errors.sel(seed=seed, n_active=n_active)
        for name in ("mse_x_active", "worst_on_inactive", "fraction_on", "spurious"):
            np.testing.assert_array_equal(cell[name], getattr(solo, name))


def test_intervals_over_seeds_are_students(errors):
    values = errors["mse_x_inactive"].values
    half = stats.t.ppf(0.975, 2) * values.std(axis=0, ddof=1) / 3**0.5
    np.testing.assert_allclose(errors["mse_x_inactive_mean"], values.mean(axis=0))
    np.testing.assert_allclose(errors["mse_x_inactive_high"], values.mean(axis=0) + half)
    np.testing.assert_allclose(errors["mse_x_inactive_low"], values.mean(axis=0) - half)


def test_theory_beside_the_errors_is_the_published_formula(errors):
    t, z, layer = 1 / 50 - 1 / (4 * 60), np.array([1, 2, 3])[:, None], np.arange(1, 4)
    active = (layer - 1) * 60 * t**2 * (z + 8 * (z - 1)) + 9 * layer * t * (z - 1)
    np.testing.assert_allclose(errors["theory_active"][:, 1:], active, atol=1e-15)
    np.testing.assert_allclose(errors["theory_inactive"][:, 1:], z * t + 0 * layer)
    bound = (z[:, 0] - 1) * (2 * 2**0.5 + 1) / 4
    np.testing.assert_allclose(errors["bound_active"], bound)
    assert np.all(errors["worst_x_active"].sel(layer=1) <= bound + 1e-5)


def test_figures_5_to_7_share_one_stored_run(errors, folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("simulated again")

    monkeypatch.setattr(simulating, "simulate_network", refuse)
    for module in (indicator_error, circuits_activity):
        again = module.compute(overrides=TEXTS, out=folder)
        np.testing.assert_array_equal(again["fraction_on"], errors["fraction_on"])
    assert len(list((folder / "runs").iterdir())) == 1
    with pytest.raises(AssertionError, match="simulated again"):
        rotations_error.compute(overrides=TEXTS, out=folder, fresh=True)


@pytest.fixture(scope="module")
def drawn(errors, folder):
    """Figures 5 and 6, and the dataset of the latter."""
    indicators = indicator_error.compute(overrides=TEXTS, out=folder)
    with plt.rc_context(style.paper()):
        return rotations_error.draw(errors), indicator_error.draw(indicators), indicators


def test_error_figures_draw_means_theory_and_bounds(errors, drawn):
    vectors, indicators, on = drawn
    for figure, dataset, value in ((vectors, errors, "x"), (indicators, on, "on")):
        for k, (measure, group) in enumerate(
            [("mse", "inactive"), ("mse", "active"), ("worst", "inactive"), ("worst", "active")]
        ):
            ax = figure.axes[k]
            means = [bar.lines[0].get_ydata() for bar in ax.containers]
            np.testing.assert_allclose(means, dataset[f"{measure}_{value}_{group}_mean"])
            lines = [line.get_ydata() for line in ax.lines if line.get_linestyle() in ("--", ":")]
            name = f"theory_{group}" if measure == "mse" else f"bound_{group}"
            expected = dataset[name].values[:, 1:] if measure == "mse" else dataset[name].values
            np.testing.assert_allclose(np.array(lines)[:, -1], expected.reshape(3, -1)[:, -1])


def test_titles_of_the_error_figures_are_counted(errors, drawn):
    mean = errors["mse_x_active"].mean("seed").values
    good = [next((k - 1 for k in range(1, 4) if row[k] >= 1), 3) for row in mean]
    vectors, indicators, on = drawn
    assert f"for {good[0]}, {good[1]}, {good[2]} layers" in vectors.axes[1].get_title()
    share = [f"{x:.0%}" for x in on["spurious"].mean("seed").values[:, 3]]
    assert ", ".join(share) in indicators.axes[0].get_title()


def test_activity_figure_draws_shares_and_what_is_used(errors, folder):
    dataset = circuits_activity.compute(overrides=TEXTS, out=folder)
    drawn = circuits_activity.draw(dataset)
    assert len(drawn.axes) == 3
    for ax, z in zip(drawn.axes, (1, 2, 3), strict=True):
        means = [bar.lines[0].get_ydata() for bar in ax.containers]
        expected = errors["fraction_on"].sel(n_active=z).mean("seed").values[1:].T
        np.testing.assert_allclose(means, expected)
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert any(list(line.get_ydata()) == [pytest.approx(z * 4 / 50)] * 2 for line in dashed)
    # One active circuit uses S of N neurons, exactly; more of them now and then share one.
    np.testing.assert_allclose(dataset["mean_field"].sel(n_active=1, layer=1), 4 / 50)
    np.testing.assert_allclose(dataset["fraction_on"].sel(n_active=1, layer=1)[..., 0], 4 / 50)


@pytest.fixture(scope="module")
def interference():
    return circuits_interference.compute(
        overrides=("n_networks=2", "redundancies=[2, 6, 9]", "n_seeds=2")
    )


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
    assert estimated.values[1] > 1.5  # 200 circuits on 350 neurons: 50 neurons hold two circuits
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


@pytest.fixture(scope="module")
def samples():
    return rotations_samples.compute(overrides=("n_examples=2", "n_active=[1, 3]"))


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


def test_step_is_a_clipped_line_and_the_difference_of_its_neurons():
    dataset = step_function.compute()
    alpha = dataset["alpha"].values
    np.testing.assert_allclose(dataset["step"], np.clip(2 * alpha - 0.5, 0, 1), atol=1e-6)
    neurons = np.maximum([2 * alpha - 0.5, 2 * alpha - 1.5], 0)
    np.testing.assert_allclose(dataset["activation"].T, neurons, atol=1e-6)
    drawn = step_function.draw(dataset)
    heights = [line.get_ydata() for line in drawn.axes[0].lines]
    np.testing.assert_allclose(heights, [alpha, *neurons, dataset["step"]], atol=1e-6)


def test_the_appendix_refuses_a_redundancy_of_zero():
    with pytest.raises(InputError, match="at least 1"):
        circuits_interference.compute(overrides=("redundancies=[0, 2]",))
