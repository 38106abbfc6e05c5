"""Figures 8 to 11 of the circuits' post, by the numbers they draw, on small networks."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.circuits import rotations_sweep
from figures.circuits.errors import published_error
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from sweeps import run_sweep
from toymodels.circuits import theory
from toymodels.circuits.constructions import rotations
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

ERRORS = tuple(rotations_sweep.MEASURES)
SMALL = ("n_samples=30", "n_layers=3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def found(folder):
    """The dataset of each figure."""
    return {
        error: figure_of(error).compute(out=folder, overrides=SMALL, version="tiny")
        for error in ERRORS
    }


def figure_of(error):
    return getattr(figures, f"rotations_sweep_{error}")


@pytest.fixture(scope="module")
def sweep():
    """The sweep itself."""
    config = planned(entry_of("rotations-sweep-x-active"), "tiny", SMALL).config
    return run_sweep(config)


def test_the_sweep_holds_the_41_networks_of_the_post():
    config = planned(entry_of("rotations-sweep-x-active")).config
    (networks,) = (d for d in config.grid.dimensions if d.name == "network")
    width, n_circuits = (axis.values for axis in networks.axes)
    assert networks.size == len(set(zip(width, n_circuits, strict=True))) == 41
    text = (Path(__file__).parents[2] / "data" / "circuits_reference.json").read_text()
    measured = {(cell["D"], cell["T"]) for cell in json.loads(text)["fig8_11"]}
    assert measured <= set(zip(width, n_circuits, strict=True))
    assert config.grid.size == 41 * 4 * 3
    shared = {"redundancy": 6, "n_layers": 4, "n_samples": 500, "circuits": "rotations"}
    assert config.run == shared


def test_four_figures_read_one_run(found, folder, monkeypatch):
    monkeypatch.setattr(rotations, "simulate_network", None)
    for error in ERRORS:
        again = figure_of(error).compute(out=folder, overrides=SMALL, version="tiny")
        assert again["error"].item() == error
        np.testing.assert_array_equal(again["mean"], found[error]["mean"])
    assert len(list((folder / "runs").iterdir())) == 1


@pytest.mark.parametrize("error", ERRORS)
def test_means_and_loads_are_those_of_the_sweep(found, sweep, error):
    mine = found[error]
    assert mine["mean"].dims == ("network", "n_active", "layer")
    np.testing.assert_array_equal(mine["layer"], [1, 2, 3])
    np.testing.assert_allclose(mine["load"], [20 / 20**2, 20 / 30**2, 45 / 30**2])
    np.testing.assert_array_equal(mine["more_than_copies"], [False, False, True])
    values = sweep[f"mse_{error}"].transpose("network", "n_active", "layer", "seed")[:, :, 1:]
    np.testing.assert_array_equal(mine["each"], values)
    np.testing.assert_allclose(mine["mean"], values.mean("seed"), rtol=1e-12)


def test_estimates_are_the_published_ones():
    """By hand for S = 6, b = 1, as the sheet of D = 1000, T = 500 has them: 0.033, 0.133, 0.233."""
    table = {"name": "x", "circuits": "rotations", "width": 1000, "n_circuits": 500}
    table |= {"n_layers": 3, "n_samples": 4, "grid": {"n_active": [1, 2]}}
    dataset = run_sweep(table)
    t = 1 / 250 - 1 / 3000
    active = published_error("mse_x_active", dataset).transpose("n_active", "layer")
    np.testing.assert_allclose(active[0], [0, 500 * t**2, 2 * 500 * t**2], rtol=1e-12)
    np.testing.assert_allclose(active[1], [0.033, 0.133, 0.233], rtol=0.01)
    for name in ("mse_x_inactive", "mse_on_inactive"):
        values = published_error(name, dataset).transpose("n_active", "layer")
        np.testing.assert_allclose(values, [[t] * 3, [2 * t] * 3], rtol=1e-12)
    assert not published_error("mse_on_active", dataset).any()


def test_an_estimate_follows_the_axis_of_the_bias():
    table = {"name": "x", "circuits": "rotations", "width": 80, "n_circuits": 20, "redundancy": 3}
    dataset = run_sweep(table | {"n_samples": 4, "n_active": 2, "grid": {"bias": [0.0, 2.0]}})
    values = published_error("mse_x_active", dataset).sel(layer=2)
    t = theory.overlap_constant(20, 20, 3)
    by_hand = [20 * t**2 * (2 + 2 * (1 + b) ** 2) + 2 * t * (1 + 2 * (1 + b) ** 2) for b in (0, 2)]
    np.testing.assert_allclose(values, by_hand, rtol=1e-12)


def test_panels_draw_points_by_size_and_dashed_estimates(found):
    drawn = rotations_sweep.draw(found["x_active"])
    legend, *panels = drawn.axes
    assert len(panels) == 3 * 2
    panel, cells = panels[3], found["x_active"].isel(layer=1, n_active=1)
    points = [c for c in panel.collections if isinstance(c, mpl.collections.PathCollection)]
    offsets = np.concatenate([c.get_offsets() for c in points])
    expected = np.stack([cells["load"], cells["mean"]], axis=1)
    np.testing.assert_allclose(offsets, expected[[2, 0, 1]])  # first where T > D/d
    dots = [line.get_ydata() for line in panel.lines if line.get_marker() == "."]
    np.testing.assert_array_equal(np.sort(np.ravel(dots)), np.sort(cells["each"].values.ravel()))
    dashed = panel.collections[0].get_segments()  # of each width, by rising load
    np.testing.assert_allclose(np.concatenate(dashed)[:, 1], cells["theory"])
    assert [len(segment) for segment in dashed] == [1, 2]
    assert "z = 2" in panels[1].get_title()
    assert "layer 3" in panels[4].get_ylabel()
    words = " ".join(text.get_text() for text in legend.findobj(mpl.text.Text))
    assert "D = 80" in words
    assert "as bad as reading out 0" in words


def test_an_axis_goes_down_to_zero_only_where_an_error_is_exact(found):
    scales = {}
    for error, dataset in found.items():
        drawn = rotations_sweep.draw(dataset)
        scales[error] = {panel.get_yscale() for panel in drawn.axes[1:]}
        texts = [text.get_text() for text in drawn.axes[1].texts]
        assert texts == (["0 up to rounding"] if error.endswith("_active") else [])
    active, inactive = {"symlog"}, {"log"}
    assert scales == {
        "x_active": active,
        "on_active": active,
        "x_inactive": inactive,
        "on_inactive": inactive,
    }


def test_your_own_axes_are_taken_in_the_order_of_the_panels(found):
    figure, axes = mpl.pyplot.subplots(7, 1)
    assert rotations_sweep.draw(found["x_active"], axes) is figure
    assert axes[1].get_title() == "z = 1 active at once"
    with pytest.raises(InputError, match="axes has 3 panels, but the figure draws 7"):
        rotations_sweep.draw(found["x_active"], axes[:3])


def made(error, mean, expected):
    """A dataset of two networks and two z, one layer; arrays [network, z]."""
    dims = ("network", "n_active", "layer")
    arrays = {
        "mean": (dims, np.array(mean)[..., None]),
        "theory": (dims, np.array(expected)[..., None]),
    }
    coords = {"n_active": [1, 4], "layer": [2], "load": ("network", [0.001, 0.008]), "error": error}
    return xr.Dataset(arrays, coords)


def test_the_claim_compares_the_lightest_and_the_heaviest_network_with_the_estimate():
    dataset = made("x_active", [[0.011, 0.06], [2.0, 9.0]], [[0.01, 0.05], [0.02, 0.3]])
    assert rotations_sweep.claim(dataset) == (
        "In layer 2 the error of vectors in use is 1.1 to 1.2 times the estimate in the lightest "
        "network, T (d/D)² = 0.001, and 30 to 100 times in the heaviest, 0.008"
    )
    as_estimated = dataset.assign(mean=dataset["theory"])
    assert "is 1 times the estimate in the lightest" in rotations_sweep.claim(as_estimated)
    assert "and 1 times in the heaviest" in rotations_sweep.claim(as_estimated)


def test_the_claim_about_an_error_that_should_be_none_counts_networks():
    dataset = made("on_active", [[0.0, 1e-5], [1e-7, 0.2]], np.zeros((2, 2)))
    assert rotations_sweep.claim(dataset) == (
        "In layer 2 the error of indicators in use is below 0.0001 in 2 and 1 of 2 networks with "
        "1 and 4 active at once, and up to 0.2"
    )


def test_an_axis_that_cannot_be_drawn_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(rotations, "simulate_network", None)
    with pytest.raises(InputError, match="the grid has 'bias' too"):
        figure_of("x_active").compute(overrides=("grid.bias=[0,1]",))


def test_an_error_that_is_not_measured_is_refused():
    with pytest.raises(InputError, match="Did you mean 'x_active'"):
        figure_of("x_active").compute(overrides=("error=x_activ",), version="tiny")
