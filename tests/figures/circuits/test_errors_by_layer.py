"""Figures 5 to 7 of the circuits' post, by the numbers they draw, on a small network."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import figures
from figures.circuits import circuits_activity, errors_by_layer
from figures.kit import style
from toymodels.circuits.constructions import rotations
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError
from toymodels.streams import run_key

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

TEXTS = (
    *("width=200", "n_circuits=60", "redundancy=4", "n_layers=3", "grid.seed.range=3"),
    *("zip.active.n_active=[1, 2, 3]", "zip.active.n_samples=[60, 120, 120]"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def vectors(folder):
    return figures.rotations_error.compute(overrides=TEXTS, out=folder)


@pytest.fixture(scope="module")
def indicators(folder, vectors):
    return figures.indicator_error.compute(overrides=TEXTS, out=folder)


@pytest.fixture(scope="module")
def activity(folder, vectors):
    return figures.circuits_activity.compute(overrides=TEXTS, out=folder)


def solo_run(seed, n_active, n_samples):
    sizes = {"n_circuits": 60, "width": 200, "redundancy": 4, "n_layers": 3}
    return simulate_rotations(run_key(seed), **sizes, n_active=n_active, n_samples=n_samples)


@pytest.mark.parametrize(("seed", "n_active", "n_samples"), [(0, 1, 60), (2, 3, 120)])
def test_a_cell_of_the_figures_equals_the_solo_run(vectors, indicators, seed, n_active, n_samples):
    solo = solo_run(seed, n_active, n_samples)
    for value, dataset in (("x", vectors), ("on", indicators)):
        cell = dataset.sel(seed=seed, n_active=n_active)
        for name in ("mse_active", "mse_inactive", "worst_active", "worst_inactive"):
            measure, _, group = name.partition("_")
            np.testing.assert_array_equal(cell[name], getattr(solo, f"{measure}_{value}_{group}"))


def test_theory_beside_the_errors_is_the_published_formula(vectors):
    t, z, layer = 1 / 50 - 1 / (4 * 60), np.array([1, 2, 3])[:, None], np.arange(1, 4)
    active = (layer - 1) * 60 * t**2 * (z + 8 * (z - 1)) + 9 * layer * t * (z - 1)
    np.testing.assert_allclose(vectors["theory_active"][:, 1:], active, atol=1e-15)
    np.testing.assert_allclose(vectors["theory_inactive"][:, 1:], z * t + 0 * layer)
    bound = (z[:, 0] - 1) * (2 * 2**0.5 + 1) / 4
    np.testing.assert_allclose(vectors["bound_active"], bound)
    assert np.all(vectors["worst_active"].sel(layer=1) <= bound + 1e-5)


def test_bounds_are_left_out_where_circuits_may_share_more_than_one_neuron():
    given = ("assignment=random_subsets", *TEXTS)
    dataset = figures.rotations_error.compute(overrides=given)
    assert dataset["bound_active"].isnull().all()
    drawn = figures.rotations_error.draw(dataset)
    assert "largest possible" not in words_of(drawn)


def words_of(drawn):
    return " ".join(text.get_text() for text in drawn.findobj(mpl.text.Text))


def test_figures_5_to_7_read_one_stored_run(vectors, folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("simulated again")

    monkeypatch.setattr(rotations, "simulate_network", refuse)
    for figure in (figures.indicator_error, figures.circuits_activity, figures.rotations_error):
        figure.compute(overrides=TEXTS, out=folder)
    assert len(list((folder / "runs").iterdir())) == 1
    with pytest.raises(AssertionError, match="simulated again"):
        figures.rotations_error.compute(overrides=TEXTS, out=folder, fresh=True)


def test_error_figures_draw_means_networks_theory_and_bounds(vectors, indicators):
    for dataset in (vectors, indicators):
        drawn = errors_by_layer.draw(dataset)
        panel = dict(zip(np.ravel(errors_by_layer.NAMES), drawn.axes, strict=True))
        for name, ax in panel.items():
            measure, group = name.split()
            curves = [line for line in ax.lines if line.get_marker() in "os^"]
            means = dataset[f"{measure}_{group}_mean"].transpose("n_active", "layer")
            np.testing.assert_allclose([line.get_ydata() for line in curves], means)
            dots = [line.get_ydata() for line in ax.lines if line.get_marker() == "."]
            each = dataset[f"{measure}_{group}"].transpose("n_active", "seed", "layer")
            np.testing.assert_allclose(dots, each.values.reshape(len(dots), -1))
        dashed = [line.get_ydata() for line in panel["mse active"].lines if line.is_dashed()]
        np.testing.assert_allclose(dashed, dataset["theory_active"].values[:, 1:])
        dotted = [li for li in panel["worst inactive"].lines if li.get_linestyle() == ":"]
        np.testing.assert_allclose([li.get_ydata()[0] for li in dotted], dataset["bound_inactive"])


def test_the_claim_about_vectors_counts_layers_and_compares_with_theory(vectors):
    mean = vectors["mse_active"].mean("seed").transpose("n_active", "layer").values
    good = [next((k - 1 for k in range(1, 4) if row[k] >= 1), 3) for row in mean]
    said = errors_by_layer.claim(vectors)
    assert said.startswith("With 1, 2 and 3 of 60 circuits active, their vectors ")
    assert f"for {good[0]}, {good[1]} and {good[2]} layers" in said
    ratio = mean[:, 3] / vectors["theory_active"].sel(layer=3).values
    assert f"err {ratio[0]:.2g}, {ratio[1]:.2g} and {ratio[2]:.2g} times" in said
    worse = vectors.assign(mse_active_mean=vectors["mse_active_mean"] + 2)
    assert "better than 0 for 0, 0 and 0 layers" in errors_by_layer.claim(
        worse.assign(mse_active_mean=worse["mse_active_mean"].where(worse["layer"] > 0, 0))
    )


def test_the_claim_about_indicators_counts_the_dropped_and_the_wrongly_on(indicators):
    last = indicators.sel(layer=3)
    said = errors_by_layer.claim(indicators)
    for name in ("dropped", "spurious"):
        shares = [f"{x:.0%}" for x in last[f"{name}_mean"].values]
        assert f"{shares[0]}, {shares[1]} and {shares[2]} of " in said
    exact = indicators.assign(mse_active_mean=0 * indicators["mse_active_mean"])
    assert "exact for 3, 3 and 3 layers" in errors_by_layer.claim(exact)


def test_activity_figure_draws_shares_and_what_is_used(activity):
    drawn = circuits_activity.draw(activity)
    assert len(drawn.axes) == 3
    for ax, z in zip(drawn.axes, (1, 2, 3), strict=True):
        means = [bar.lines[0].get_ydata() for bar in ax.containers]
        expected = [solo_run(seed, z, 60 if z == 1 else 120).fraction_on for seed in range(3)]
        np.testing.assert_allclose(means, np.mean(expected, axis=0)[1:].T)
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert any(list(line.get_ydata()) == [pytest.approx(z * 4 / 50)] * 2 for line in dashed)
    # One active circuit uses S of N neurons, exactly; more of them now and then share one.
    np.testing.assert_allclose(activity["mean_field"].sel(n_active=1, layer=1), 4 / 50)
    first = activity["fraction_on_mean"].sel(n_active=1, layer=1, block=0)
    np.testing.assert_allclose(first, 4 / 50)


def test_the_claim_about_activity_compares_what_is_on_with_what_is_used(activity):
    said = circuits_activity.claim(activity)
    assert "these circuits use 8%, 16% and 24%" in said
    idle = activity.assign(fraction_on_mean=0 * activity["fraction_on_mean"] + 0.125)
    assert "active, 12%, 12% and 12% of the" in circuits_activity.claim(idle)


def test_a_value_that_circuits_do_not_hold_is_refused():
    with pytest.raises(InputError, match="value = y: give x or on"):
        figures.rotations_error.compute(overrides=("value=y",), version="tiny")


def test_one_z_is_drawn_in_the_colour_that_it_has_among_others():
    texts = ("zip.active.n_active=[3]", "zip.active.n_samples=[20]")
    dataset = figures.rotations_error.compute(overrides=texts, version="tiny")
    with plt.rc_context(style.paper()):
        ax = figures.rotations_error.draw(dataset).axes[1]
    assert ax.lines[0].get_color() == style.series(2)["color"]
