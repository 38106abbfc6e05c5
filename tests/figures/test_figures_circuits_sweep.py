"""The sweep figures of circuits, by the numbers they draw, on networks that take a blink."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from builders import DATA

import figures
from figures import (
    assignment_designs,
    circuit_errors,
    circuits_bias,
    circuits_inhibition,
    circuits_redundancy,
    recipe,
    rotations_sweep,
)
from sweeps import mean_over_seeds, run_sweep, simulating
from toymodels.circuits import theory
from toymodels.circuits.assignment import prime_steps, transversal, usage
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

REFERENCE = json.loads((DATA / "circuits_reference.json").read_text())
SMALL = (
    "zip.network.width=[80,120,120]",
    "zip.network.n_circuits=[20,20,45]",
    "redundancy=3",
    "n_samples=30",
    "n_layers=3",
    "grid.n_active=[1,2]",
    "grid.seed.range=2",
)
MEASURES = {
    name: getattr(figures, f"rotations_sweep_{name}").MEASURE
    for name in ("x_active", "x_inactive", "on_active", "on_inactive")
}
TINY = ("width=120", "n_circuits=45", "redundancy=3", "n_samples=30", "n_layers=3")


@pytest.fixture(scope="module")
def sweep():
    return run_sweep(recipe.preset_config(rotations_sweep.PRESET, overrides=SMALL))


def test_the_preset_holds_the_41_networks_of_the_post():
    config = recipe.preset_config(rotations_sweep.PRESET)
    (networks,) = (d for d in config.grid.dimensions if d.name == "network")
    width, n_circuits = (axis.values for axis in networks.axes)
    assert networks.size == len(set(zip(width, n_circuits, strict=True))) == 41
    measured = {(cell["D"], cell["T"]) for cell in REFERENCE["fig8_11"]}
    assert measured <= set(zip(width, n_circuits, strict=True))
    assert config.grid.size == 41 * 4 * 3
    shared = {"redundancy": 6, "n_layers": 4, "n_samples": 500, "circuits": "rotations"}
    assert config.run == shared


def test_four_figures_read_one_run(tmp_path, monkeypatch):
    first = figures.rotations_sweep_x_active.compute(out=tmp_path, overrides=SMALL)
    monkeypatch.setattr(simulating, "simulate_network", None)
    for name in ("x_inactive", "on_active", "on_inactive"):
        module = getattr(figures, f"rotations_sweep_{name}")
        other = module.compute(out=tmp_path, overrides=SMALL)
        assert other.attrs["measure"] == f"mse_{name}"
        np.testing.assert_array_equal(other["load"], first["load"])
    assert len(list((tmp_path / "runs").iterdir())) == 1


@pytest.mark.parametrize("name", MEASURES)
def test_means_and_loads_are_those_of_the_sweep(sweep, name):
    found = rotations_sweep.analyse(MEASURES[name], sweep)
    assert found["mean"].dims == ("network", "n_active", "layer")
    np.testing.assert_array_equal(found["layer"], [1, 2, 3])
    np.testing.assert_allclose(found["load"], [20 / 20**2, 20 / 30**2, 45 / 30**2])
    np.testing.assert_array_equal(found["more_than_blocks"], [False, False, True])
    values = sweep[f"mse_{name}"].transpose("network", "n_active", "layer", "seed")[:, :, 1:]
    np.testing.assert_allclose(found["mean"], values.mean("seed"), rtol=1e-12)
    half = 12.7062 * np.ptp(values.values, axis=-1) / 2  # Student's t of two values at 95 %
    np.testing.assert_allclose(found["high"] - found["mean"], half, rtol=1e-5, atol=1e-18)


def test_estimates_are_the_published_ones():
    """By hand for S = 6, b = 1, as the sheet of D = 1000, T = 500 has them: 0.033, 0.133, 0.233."""
    table = {"name": "x", "circuits": "rotations", "width": 1000, "n_circuits": 500}
    table |= {"n_layers": 3, "n_samples": 4, "grid": {"n_active": [1, 2]}}
    dataset = run_sweep(table)
    t = 1 / 250 - 1 / 3000
    active = circuit_errors.published("mse_x_active", dataset).transpose("n_active", "layer")
    np.testing.assert_allclose(active[0], [0, 500 * t**2, 2 * 500 * t**2], rtol=1e-12)
    np.testing.assert_allclose(active[1], [0.033, 0.133, 0.233], rtol=0.01)
    for name in ("mse_x_inactive", "mse_on_inactive"):
        found = circuit_errors.published(name, dataset).transpose("n_active", "layer")
        np.testing.assert_allclose(found, [[t] * 3, [2 * t] * 3], rtol=1e-12)
    assert not circuit_errors.published("mse_on_active", dataset).any()


def test_an_estimate_follows_the_axis_of_the_bias():
    table = {"name": "x", "circuits": "rotations", "width": 80, "n_circuits": 20, "redundancy": 3}
    dataset = run_sweep(table | {"n_samples": 4, "n_active": 2, "grid": {"bias": [0.0, 2.0]}})
    found = circuit_errors.published("mse_x_active", dataset).sel(layer=2)
    t = theory.overlap_constant(20, 20, 3)
    by_hand = [20 * t**2 * (2 + 2 * (1 + b) ** 2) + 2 * t * (1 + 2 * (1 + b) ** 2) for b in (0, 2)]
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)


def test_panels_draw_points_by_size_and_dashed_estimates(sweep):
    found = rotations_sweep.analyse(MEASURES["x_active"], sweep)
    drawn = rotations_sweep.draw(MEASURES["x_active"], found)
    legend, *panels = drawn.axes
    assert len(panels) == 3 * 2
    panel, cells = panels[3], found.isel(layer=1, n_active=1)
    points = [c for c in panel.collections if isinstance(c, mpl.collections.PathCollection)]
    offsets = np.concatenate([c.get_offsets() for c in points])
    expected = np.stack([cells["load"], cells["mean"]], axis=1)
    np.testing.assert_allclose(offsets, expected[[2, 0, 1]])  # first where T > D/d
    dashed = panel.collections[0].get_segments()  # of each width, by rising load
    np.testing.assert_allclose(np.concatenate(dashed)[:, 1], cells["theory"])
    assert [len(segment) for segment in dashed] == [1, 2]
    assert "z = 2" in panels[1].get_title()
    assert "layer 3" in panels[4].get_ylabel()
    words = " ".join(text.get_text() for text in legend.findobj(mpl.text.Text))
    assert "D = 80" in words
    assert "as bad as reading out 0" in words


def test_an_axis_goes_down_to_zero_only_where_an_error_is_exact(sweep):
    scales = {}
    for name, measure in MEASURES.items():
        drawn = rotations_sweep.draw(measure, rotations_sweep.analyse(measure, sweep))
        scales[name] = {panel.get_yscale() for panel in drawn.axes[1:]}
        texts = [text.get_text() for text in drawn.axes[1].texts]
        assert texts == (["0 up to rounding"] if name.endswith("_active") else [])
    active, inactive = {"symlog"}, {"log"}
    assert scales == {
        "x_active": active,
        "on_active": active,
        "x_inactive": inactive,
        "on_inactive": inactive,
    }


def test_a_single_seed_is_drawn_without_an_interval(sweep):
    found = rotations_sweep.analyse(MEASURES["x_active"], sweep.isel(seed=[0]))
    assert found["low"].isnull().all()
    panel = rotations_sweep.draw(MEASURES["x_active"], found).axes[1]
    assert panel.get_ylim()[1] == pytest.approx(2 * max(1, 1.5 * float(found["mean"].max())))


def test_an_axis_that_cannot_be_drawn_is_refused_before_anything_runs():
    with pytest.raises(InputError, match="the grid has 'bias' too"):
        figures.rotations_sweep_x_active.compute(overrides=(*SMALL, "grid.bias=[0,1]"))


def reference_of(tag, key, **where):
    """z -> value of the key -> error of x in layer 5, from the file."""
    found = {}
    for cell in REFERENCE["sweeps"]:
        if cell["tag"] == tag and all(cell[k] == v for k, v in where.items()):
            found.setdefault(cell["z"], {})[cell[key]] = cell["mse_x_active"]["mean"][-1]
    return found


def assert_same_reference(drawn, measured):
    for z, values in measured.items():
        for at, value in values.items():
            assert drawn[z][at] == pytest.approx(value, rel=5e-3, abs=1e-12), (z, at)


def test_hollow_markers_are_the_reference():
    assert_same_reference(circuits_inhibition.REFERENCE, reference_of("w_correction", "inhibition"))
    post = {cell["z"]: {1: cell["mse_x_active"]["mean"][5]} for cell in REFERENCE["fig5_7"]}
    assert_same_reference(circuits_inhibition.REFERENCE, post)
    assert_same_reference(circuits_bias.REFERENCE, reference_of("b_sweep", "bias"))
    for n_circuits, drawn in circuits_redundancy.REFERENCE.items():
        assert_same_reference(drawn, reference_of("S_sweep", "S", T=n_circuits))


def lines_of(panel, **look):
    return [
        line
        for line in panel.lines
        if all(getattr(line, f"get_{k}")() == v for k, v in look.items())
    ]


def test_inhibition_draws_means_intervals_and_reference():
    overrides = (*TINY, "grid.inhibition=[0,1,3]", "grid.seed.range=2", "grid.n_active=[1,2]")
    dataset = circuits_inhibition.compute(overrides=overrides)
    assert dataset["mse_x_active_mean"].dims == ("inhibition", "n_active")
    assert int(dataset["layer"]) == 3
    drawn = circuits_inhibition.draw(dataset)
    errors, lost = drawn.axes
    blue = lines_of(errors, color=circuit_errors.COLORS[1], marker="o")
    np.testing.assert_array_equal(blue[0].get_ydata(), dataset["mse_x_active_mean"].sel(n_active=1))
    diamonds = [line for line in errors.lines if line.get_marker() == "D"]
    assert dict(zip(*diamonds[1].get_data(), strict=True)) == circuits_inhibition.REFERENCE[2]
    np.testing.assert_array_equal(
        lines_of(lost, color=circuit_errors.COLORS[2], marker="s")[0].get_ydata(),
        dataset["spurious_mean"].sel(n_active=2),
    )
    assert float(dataset["spurious_mean"].sel(inhibition=0).min()) > float(
        dataset["spurious_mean"].sel(inhibition=3).max()
    )


def test_bias_draws_an_early_and_the_last_layer_and_indicators_that_do_not_know_it():
    overrides = (*TINY, "grid.bias=[0,1,2]", "grid.seed.range=2", "grid.n_active=[1,2]")
    dataset = circuits_bias.compute(overrides=overrides)
    np.testing.assert_array_equal(dataset["layer"], [2, 3])
    for name in ("mse_on_active_mean", "mse_on_inactive_mean"):
        np.testing.assert_array_equal(dataset[name], dataset[name].isel(bias=[0, 0, 0]))
    drawn = circuits_bias.draw(dataset)
    titles = [panel.get_title() for panel in drawn.axes]
    assert titles == ["layer 2", "layer 3", "indicators, layer 3: no b in them"]
    dashed = drawn.axes[1].lines[1]
    expected = dataset["theory"].sel(layer=3, n_active=1)
    np.testing.assert_array_equal(dashed.get_ydata(), np.broadcast_to(expected, 3))


def test_redundancy_has_a_panel_for_each_number_of_circuits():
    overrides = (
        "zip.network.n_circuits=[30,30,36,30,36]",
        "zip.network.redundancy=[1,2,2,3,3]",
        *("width=120", "n_samples=40", "n_layers=3", "grid.seed.range=2"),
    )
    dataset = circuits_redundancy.compute(overrides=overrides)
    drawn = circuits_redundancy.draw(dataset)
    assert [panel.get_title()[:6] for panel in drawn.axes] == ["T = 30", "T = 36"]
    (curve,) = [
        line
        for line in lines_of(drawn.axes[0], color=circuit_errors.COLORS[2], marker="o")
        if len(line.get_xdata()) == 3
    ]
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 3])
    assert curve.get_ydata()[0] < 1e-10  # as many circuits as neurons of a block: exact
    assert curve.get_ydata()[1] > 1e-4


def test_designs_are_compared_by_error_and_by_use_of_neurons():
    overrides = (
        'zip.design.assignment=["prime_steps","transversal","random_subsets","transversal"]',
        "zip.design.n_circuits=[45,45,45,49]",
        *("width=120", "redundancy=3", "n_samples=40", "n_layers=3", "grid.seed.range=2"),
    )
    dataset = assignment_designs.compute(overrides=overrides)
    assert dataset.attrs["n_compared"] == 45
    np.testing.assert_array_equal(dataset["neurons"].sum("load"), [30, 30, 30])
    for name, function in (("prime_steps", prime_steps), ("transversal", transversal)):
        expected = np.bincount(usage(function(45, 30, 3), 30), minlength=dataset.sizes["load"])
        np.testing.assert_array_equal(dataset["neurons"].sel(list=name), expected)
    np.testing.assert_array_equal(dataset["shared"][:2], [1, 1])
    drawn = assignment_designs.draw(dataset)
    blue = lines_of(drawn.axes[0], color=assignment_designs.LOOKS["transversal"][0], marker="s")
    np.testing.assert_array_equal(blue[0].get_xdata(), [45, 49])
    means = mean_over_seeds_of(dataset, "transversal", z=1)
    np.testing.assert_array_equal(blue[0].get_ydata(), means)


def mean_over_seeds_of(dataset, name, z):
    chosen = dataset.isel(design=np.flatnonzero(dataset["assignment"] == name))
    return chosen["mse_x_active_mean"].sel(n_active=z)


def test_means_leave_out_cells_that_blew_up(sweep):
    broken = sweep.copy(deep=True)
    broken["diverged"][{"seed": 0}] = 1
    found = circuit_errors.means(broken, ("mse_x_active",))
    kept = sweep["mse_x_active"].sel(seed=1)
    np.testing.assert_allclose(found["mse_x_active_mean"], kept.transpose(*found["n"].dims, ...))
    assert int(found["n"].max()) == 1
    assert int(mean_over_seeds(sweep, "mse_x_active")["n"].max()) == 2
