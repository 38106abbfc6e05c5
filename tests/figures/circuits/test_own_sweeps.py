"""Our sweeps of the construction, by the numbers they draw, on networks that take a blink."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.circuits import (
    assignment_designs,
    circuits_bias,
    circuits_inhibition,
    circuits_redundancy,
    errors,
)
from figures.kit import style
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from sweeps import run_sweep
from toymodels.circuits.assignment import prime_steps, transversal, usage
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

TINY = ("n_samples=30", "n_layers=3")


def tiny(name, *overrides):
    return getattr(figures, name).compute(overrides=overrides, version="tiny")


def sweep_of(name, *overrides):
    return run_sweep(planned(entry_of(name), "tiny", overrides).config)


def curves(panel, z, **look):
    """The curves of one z; `look` are what lines are asked for."""
    color = style.series(z - 1)["color"]
    found = [
        line for line in panel.lines if line.get_color() == color and line.get_marker() in "os^"
    ]
    return [li for li in found if all(getattr(li, f"get_{k}")() == v for k, v in look.items())]


# Statistics over networks.


@pytest.fixture(scope="module")
def networks():
    return sweep_of("circuits-bias", "grid.seed.range=3")


def test_geometric_means_are_means_of_logarithms(networks):
    found = errors.geometric_means(networks, ["mse_x_active"]).isel(layer=-1)
    values = networks["mse_x_active"].isel(layer=-1)
    logs = np.log(values.transpose("seed", ...).values)
    order = [d for d in values.dims if d != "seed"]
    mean = found["mse_x_active_mean"].transpose(*order)
    np.testing.assert_allclose(mean, np.exp(logs.mean(axis=0)))
    half = 4.302653 * logs.std(axis=0, ddof=1) / 3**0.5  # Student's t, 2 degrees of freedom
    low, high = (found[f"mse_x_active_{part}"].transpose(*order) for part in ("low", "high"))
    np.testing.assert_allclose(low, np.exp(logs.mean(axis=0) - half), rtol=1e-6)
    np.testing.assert_allclose(high, np.exp(logs.mean(axis=0) + half), rtol=1e-6)
    assert float(low.min()) > 0


def test_a_geometric_mean_with_a_zero_in_it_is_zero_and_warns_of_nothing(networks):
    zero = networks.copy(deep=True)
    zero["mse_x_active"][{"seed": 0}] = 0
    found = errors.geometric_means(zero, ["mse_x_active"])
    assert not found["mse_x_active_mean"].any()
    assert found["mse_x_active_low"].isnull().all()


def test_means_leave_out_networks_that_blew_up(networks):
    broken = networks.copy(deep=True)
    broken["diverged"][{"seed": 0}] = 1
    found = errors.means(broken, ["mse_x_active"])["mse_x_active_mean"]
    kept = networks["mse_x_active"].isel(seed=[1, 2]).mean("seed")
    np.testing.assert_allclose(found, kept.transpose(*found.dims))
    each = errors.each_network(broken, "mse_x_active")
    assert each.isel(seed=0).isnull().all()
    assert each.isel(seed=1).notnull().all()


# Inhibition.


@pytest.fixture(scope="module")
def inhibition():
    return tiny("circuits_inhibition", *TINY, "grid.inhibition=[0,1,3]")


def test_inhibition_draws_errors_and_shares_of_the_last_layer(inhibition):
    assert int(inhibition["layer"]) == 3
    drawn = circuits_inhibition.draw(inhibition)
    error, shares = drawn.axes
    for z in (1, 2):
        here = inhibition.sel(n_active=z)
        (curve,) = curves(error, z)
        np.testing.assert_array_equal(curve.get_ydata(), here["mse_x_active_mean"])
        solid, dotted = curves(shares, z)
        np.testing.assert_array_equal(solid.get_ydata(), here["dropped_mean"])
        np.testing.assert_array_equal(dotted.get_ydata(), here["spurious_mean"])
    most, least = (inhibition["spurious_mean"].sel(inhibition=i) for i in (0, 3))
    assert float(most.min()) > float(least.max())


def over(axis, values, **variables):
    """A dataset over an axis and two z, layer 5; arrays [axis, z]."""
    arrays = {name: ((axis, "n_active"), np.array(v, float)) for name, v in variables.items()}
    return xr.Dataset(arrays, {axis: values, "n_active": [1, 2], "layer": 5})


def test_the_claim_about_inhibition_says_where_errors_are_least_and_who_is_dropped():
    dataset = over(
        "inhibition",
        [0.0, 1.0, 2.0],
        mse_x_active_mean=[[9, 9], [2, 1], [1, 3]],
        dropped_mean=[[0, 0], [0.1, 0.2], [0.3, 0.4]],
        spurious_mean=[[1, 0.9], [0, 0], [0, 0]],
    )
    assert circuits_inhibition.claim(dataset) == (
        "With 1 and 2 active circuits the error is least at 2 and 1 times the published "
        "inhibition, where 30% and 20% of them are dropped; at 0 times, 95% of the inactive ones "
        "are on"
    )
    turned = dataset.assign(mse_x_active_mean=-dataset["mse_x_active_mean"])
    assert "is least at 0 and 0 times" in circuits_inhibition.claim(turned)
    error = dataset["mse_x_active_mean"]
    ends = dataset.assign(mse_x_active_low=error * 0.9, mse_x_active_high=error * 1.2)
    ends["mse_x_active_low"][2, 0] = np.nan  # one network
    assert circuits_inhibition.finding(ends) == (
        "Error by inhibition: z = 1: 1 (no interval) at 2, 2 (1.8–2.4) at 1; "
        "z = 2: 1 (0.9–1.2) at 1, 1 (0.9–1.2) at 1"
    )
    lost = ends.assign(mse_x_active_mean=error * np.nan)
    assert "z = 1: every network blew up" in circuits_inhibition.finding(lost)


# Bias.


@pytest.fixture(scope="module")
def bias():
    return tiny("circuits_bias", *TINY, "grid.bias=[0,1,2]")


def test_bias_draws_an_early_and_the_last_layer_and_indicators_that_do_not_know_it(bias):
    np.testing.assert_array_equal(bias["layer"], [2, 3])
    for name in ("mse_on_active_mean", "mse_on_inactive_mean"):
        np.testing.assert_array_equal(bias[name], bias[name].isel(bias=[0, 0, 0]))
    drawn = circuits_bias.draw(bias)
    titles = [panel.get_title() for panel in drawn.axes]
    assert titles == ["layer 2", "layer 3", "indicators, layer 3"]
    dashed = drawn.axes[1].lines[1]
    expected = bias["theory"].sel(layer=3, n_active=1)
    np.testing.assert_array_equal(dashed.get_ydata(), np.broadcast_to(expected, 3))
    (curve,) = curves(drawn.axes[1], 2)
    np.testing.assert_array_equal(
        curve.get_ydata(), bias["mse_x_active_mean"].sel(layer=3, n_active=2)
    )
    assert {ax.get_ylim() for ax in drawn.axes[:2]} == {drawn.axes[0].get_ylim()}


def test_the_claim_about_the_bias_says_where_errors_are_least_and_whether_indicators_know_it():
    still = [[0.2, 0.3]] * 3
    dataset = over(
        "bias",
        [0.0, 0.5, 1.0],
        mse_x_active_mean=[[2, 1], [1, 3], [4, 4]],
        mse_on_active_mean=still,
        mse_on_inactive_mean=still,
    ).expand_dims(layer=[5])
    assert circuits_bias.claim(dataset) == (
        "With 1 and 2 active at once the error of x in layer 5 is least at b = 0.5 and 0: 0.25 and "
        "0.25 times that at b = 1; indicators do not change at all"
    )
    error = dataset["mse_x_active_mean"]
    moved = dataset.assign(mse_on_active_mean=dataset["mse_on_active_mean"] * (1 + dataset["bias"]))
    assert "indicators change by up to 50%" in circuits_bias.claim(moved)
    ends = dataset.assign(mse_x_active_low=error, mse_x_active_high=error)
    assert circuits_bias.finding(ends) == (
        "Error of x by b: z = 1: 1 (1–1) at 0.5, 4 (4–4) at 1; z = 2: 1 (1–1) at 0, 4 (4–4) at 1"
    )
    flat = dataset.assign(mse_x_active_mean=dataset["bias"] + dataset["mse_x_active_mean"] * 0)
    assert "is least at b = 0: 0 and 0 times" in circuits_bias.claim(flat)


# Redundancy.


@pytest.fixture(scope="module")
def redundancy():
    return tiny("circuits_redundancy", *TINY)


def test_redundancy_has_a_panel_for_each_number_of_circuits(redundancy):
    drawn = circuits_redundancy.draw(redundancy)
    assert [panel.get_title()[:6] for panel in drawn.axes] == ["T = 30", "T = 36"]
    (curve,) = curves(drawn.axes[0], 2)
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 3])
    assert curve.get_ydata()[0] < 1e-10  # as many circuits as copies: exact
    assert curve.get_ydata()[1] > 1e-4
    dots = [line.get_ydata() for line in drawn.axes[0].lines if line.get_marker() == "."]
    each = redundancy["mse_x_active"].isel(network=[0, 1, 2])
    np.testing.assert_array_equal(np.sort(np.ravel(dots)), np.sort(each.values.ravel()))


def test_the_claim_about_redundancy_names_the_best_and_the_posts_for_each_number_of_circuits():
    dataset = xr.Dataset(
        {"mse_x_active_mean": (("network", "n_active"), [[0.0], [0.3], [0.2], [0.1], [0.4]])},
        {
            "redundancy": ("network", [1, 6, 7, 3, 6]),
            "n_circuits": ("network", [250, 250, 250, 400, 400]),
            "n_active": [1],
            "layer": 5,
        },
    )
    assert circuits_redundancy.claim(dataset) == (
        "With 1 active at once errors in layer 5 are least at S = 1 for T = 250 (0, and 0.3 at "
        "S = 6) and at S = 3 for T = 400 (0.1, and 0.4 at S = 6)"
    )
    few = dataset.isel(network=[0, 2, 3])
    assert "for T = 250 (0, and 0.2 at S = 7)" in circuits_redundancy.claim(few)


def test_a_redundancy_that_is_no_axis_is_refused():
    with pytest.raises(InputError, match="the grid has no network"):
        texts = ("zip={}", "redundancy=3", "n_circuits=30", "grid.seed.range=1")
        tiny("circuits_redundancy", *texts)


def test_networks_may_differ_in_redundancy_alone():
    dataset = tiny("circuits_redundancy", "zip={network={redundancy=[3,2]}}", "n_circuits=30")
    assert [ax.get_title()[:6] for ax in circuits_redundancy.draw(dataset).axes] == ["T = 30"]


# Designs.


@pytest.fixture(scope="module")
def designs():
    return tiny("assignment_designs", *TINY)


def test_designs_are_compared_by_error_and_by_use_of_neurons(designs):
    assert int(designs["n_compared"]) == 45
    np.testing.assert_array_equal(designs["neurons"].sum("load"), [30, 30, 30])
    for name, function in (("prime_steps", prime_steps), ("transversal", transversal)):
        expected = np.bincount(usage(function(45, 30, 3), 30), minlength=designs.sizes["load"])
        np.testing.assert_array_equal(designs["neurons"].sel(list=name), expected)
    np.testing.assert_array_equal(designs["shared"][:2], [1, 1])
    drawn = assignment_designs.draw(designs)
    color = style.SERIES[0][0]
    blue = [li for li in drawn.axes[0].lines if li.get_color() == color and li.get_marker() == "s"]
    np.testing.assert_array_equal(blue[0].get_xdata(), [45, 49])
    chosen = designs.isel(design=np.flatnonzero(designs["assignment"] == "transversal"))
    np.testing.assert_array_equal(blue[0].get_ydata(), chosen["mse_x_active_mean"].sel(n_active=1))


def test_every_network_draws_its_own_random_subsets():
    texts = ('zip.design.assignment=["random_subsets"]', "zip.design.n_circuits=[45]")
    overlaps = sweep_of("assignment-designs", *texts, "grid.seed.range=3")["overlap_probability"]
    assert len(np.unique(overlaps.isel(design=0, n_active=0, layer=1))) == 3


def test_the_claim_about_designs_compares_their_errors_for_as_many_circuits(designs):
    said = assignment_designs.claim(designs)
    assert said.startswith("For 45 circuits, 1 active at once, the error in layer 3 is ")
    wide = designs.assign(mse_x_active_mean=0 * designs["mse_x_active_mean"] + 0.25)
    assert assignment_designs.claim(wide) == (
        "For 45 circuits, 1 active at once, the error in layer 3 is 0.25 with prime steps, 0.25 "
        "with transversal designs and 0.25 with random subsets"
    )
    assert said != assignment_designs.claim(wide)
    assert assignment_designs.finding(
        wide.assign(mse_x_active_low=wide["theory"] * 0 + 0.1, mse_x_active_high=wide["theory"] + 1)
    ).startswith("Errors for 45 circuits: z = 1: prime steps 0.25 (0.1–")
