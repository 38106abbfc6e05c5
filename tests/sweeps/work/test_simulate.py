"""Simulated sweeps: each cell is one call of the library, stored, resumed, drawn again."""

import dataclasses
import re

import jax
import numpy as np
import pytest
import xarray as xr
from builders import Ear

from sweeps import export_npz, restore, run_sweep
from sweeps.config.parse import parse
from sweeps.estimates import estimate
from sweeps.machine import Machine
from sweeps.plan import make_programs
from sweeps.work import simulate
from sweeps.work.simulate import SIMULATE
from toymodels.circuits import (
    RotationErrors,
    ideal_gating,
    rotation_network,
    simulate_rotations,
    transversal,
)
from toymodels.circuits.constructions import rotations
from toymodels.errors import InputError
from toymodels.streams import run_key

SIZES = {"width": 240, "n_circuits": 80, "redundancy": 4, "n_layers": 3}
TABLE = {
    "name": "simulated",
    "circuits": "rotations",
    **SIZES,
    "grid": {"inhibition": [1.0, 1.3], "seed": [0, 3]},
    "zip": {"z": {"n_active": [1, 2], "n_samples": [80, 150]}},
}


@pytest.fixture(scope="module")
def simulated():
    return run_sweep(TABLE)


def assert_same(cell, errors):
    for field in dataclasses.fields(RotationErrors):
        np.testing.assert_array_equal(cell[field.name], getattr(errors, field.name), field.name)


@pytest.mark.parametrize("inhibition", [1.0, 1.3])
@pytest.mark.parametrize("z", [0, 1])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_cell_of_a_sweep_equals_the_solo_run_bit_for_bit(simulated, inhibition, z, seed):
    alone = simulate_rotations(
        run_key(seed),
        n_active=z + 1,
        n_samples=[80, 150][z],
        inhibition=inhibition,
        **SIZES,
    )
    assert_same(simulated.sel(inhibition=inhibition, seed=seed).isel(z=z), alone)


def test_other_gates_assignments_and_floats_reach_the_library():
    more = {"assignment": "transversal", "gating": "ideal", "gain": 3.0, "bias": 0.3}
    table = {"name": "other", "circuits": "rotations", **SIZES, "n_samples": 60, "seed": 5}
    calls = {"assignment": transversal, "gating": ideal_gating, "gain": 3.0, "bias": 0.3}
    alone = simulate_rotations(run_key(0, root=5), n_active=1, n_samples=60, **SIZES, **calls)
    assert_same(run_sweep(table | more), alone)


def test_names_and_dimensions_are_labelled(simulated):
    grid = ("inhibition", "seed", "z")
    assert simulated["mse_x_active"].dims == (*grid, "layer")
    assert simulated["fraction_on"].dims == (*grid, "layer", "block")
    assert simulated["diverged"].dims == grid
    np.testing.assert_array_equal(simulated["layer"], range(4))
    np.testing.assert_array_equal(simulated["n_active"], [1, 2])
    assert simulated["n_samples"].dims == ("z",)
    assert "chi" in simulated["inhibition_strength"].attrs["long_name"]
    assert not {"loss", "W", "step", "loss_curve"} & set(simulated.variables)


def test_shallower_networks_are_padded_with_nan():
    table = TABLE | {"zip": {}, "grid": {"n_layers": [1, 3]}, "n_samples": 20}
    found = run_sweep({k: v for k, v in table.items() if k not in ("zip", "n_layers")})
    for name in ("mse_x_active", "fraction_on"):
        assert np.isnan(found[name].sel(n_layers=1, layer=[2, 3])).all()
        assert np.isfinite(found[name].sel(n_layers=3, layer=[1, 2, 3])).all()
    first = found["mse_on_inactive"].sel(layer=1)
    assert first.sel(n_layers=1) == pytest.approx(float(first.sel(n_layers=3)), rel=1e-6)


def test_a_network_that_blows_up_is_marked_and_its_neighbour_is_not():
    table = TABLE | {"grid": {"bias": [1.0, 9e17]}, "n_active": 8, "zip": {}, "n_samples": 500}
    found = run_sweep(table)
    np.testing.assert_array_equal(found["diverged"], [0, 1])
    assert np.isfinite(found["mse_x_active"][0]).all()


def programs_of(table):
    config = parse(table)
    return make_programs(config.grid, config.build, config.seed)


def test_cells_of_one_network_draw_it_once(monkeypatch):
    drawn = []
    draw = rotations.rotation_network
    monkeypatch.setattr(
        rotations, "rotation_network", lambda *a, **k: drawn.append(1) or draw(*a, **k)
    )
    run_sweep(TABLE)
    assert len(drawn) == 4  # two inhibitions, two seeds; both numbers of active circuits share


def test_finished_blocks_are_not_simulated_again_and_resumed_equals_uninterrupted(
    tmp_path, monkeypatch, simulated
):
    monkeypatch.setattr(simulate, "BLOCK_COST", 1)
    cut = run_sweep(TABLE, out=tmp_path)
    xr.testing.assert_equal(cut, simulated)
    blocks = sorted(tmp_path.rglob("blocks/*"))
    assert len(blocks) == 8
    next(tmp_path.rglob("result.nc")).unlink()
    for gone in (1, 6):
        blocks[gone].unlink()
    calls = []
    again = rotations.simulate_network
    monkeypatch.setattr(
        rotations, "simulate_network", lambda *a, **k: calls.append(1) or again(*a, **k)
    )
    xr.testing.assert_equal(run_sweep(TABLE, out=tmp_path), simulated)
    assert len(calls) == 2
    with xr.open_dataset(tmp_path / "simulated.nc", engine="h5netcdf") as stored:
        np.testing.assert_array_equal(stored["mse_x_active"], simulated["mse_x_active"])


def test_progress_counts_every_cell_once():
    ear = Ear()
    run_sweep(TABLE, report=ear)
    ((models, cost, done),) = ear.heard
    assert (models, done, ear.steps, ear.finished) == (8, 0, cost, 1)


def blocks_of(table, memory=2**30):
    (program,) = programs_of(table)
    return list(SIMULATE.cut(program, Machine(memory)))


def test_blocks_hold_every_point_once_and_about_their_cost(monkeypatch):
    (whole,) = {SIMULATE.cost(block) for block in blocks_of(TABLE)}
    monkeypatch.setattr(simulate, "BLOCK_COST", whole / 2)
    blocks = blocks_of(TABLE)
    points = np.concatenate([block.points.ravel() for block in blocks])
    np.testing.assert_array_equal(np.sort(points), range(8))
    assert max(map(SIMULATE.cost, blocks)) <= whole / 2


def test_too_little_memory_is_refused_with_what_is_needed():
    (block, *_) = blocks_of(TABLE | {"width": 8000})
    assert 2000**2 * 4 * 3 < SIMULATE.block_bytes(block) < 2**30
    with pytest.raises(InputError, match=r"does not hold a network with.*raise memory"):
        blocks_of(TABLE | {"width": 8000}, memory=2**20)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"circuits": "gated_rotations", "grid": {"share_kept": [0.5, 0.02]}}, "share_kept = 0.02"),
        ({"circuits": "attended_rotations", "n_tokens": 50}, "n_tokens = 50"),
    ],
)
def test_more_active_circuits_than_a_network_allows_are_refused_before_it_runs(given, named):
    with pytest.raises(InputError, match=f"n_active = 3 .*{re.escape(named)}"):
        programs_of({"name": "refused", "n_active": 3, **SIZES, **given})


def test_another_root_draws_other_networks_at_the_same_seeds(simulated):
    other = run_sweep(TABLE | {"seed": 1})
    np.testing.assert_array_equal(other.seed, simulated.seed)
    one, two = (ds.mse_x_active.sel(layer=[2, 3]).values for ds in (simulated, other))
    assert not np.any(np.isin(one, two))
    alone = simulate_rotations(
        run_key(3, root=1), n_active=1, n_samples=80, inhibition=1.3, **SIZES
    )
    assert_same(other.sel(inhibition=1.3, seed=3).isel(z=0), alone)


def test_the_result_says_what_every_cell_shares(simulated):
    """A figure needs the redundancy without reading the config again."""
    found = {name: c.item() for name, c in simulated.coords.items() if c.ndim == 0}
    wanted = {"work": "simulate", "width": 240, "n_circuits": 80, "redundancy": 4, "n_layers": 3}
    assert (
        wanted | {"bias": 1.0, "gain": 2.0, "assignment": "prime_steps"}
    ).items() <= found.items()
    assert not {"inhibition", "n_active", "n_samples"} & set(found)


def test_seeds_share_what_their_sizes_share_and_the_result_says_where_not(simulated):
    assert "agree in z," in simulated.attrs["shared_data"]
    table = TABLE | {"zip": {}, "grid": {"n_layers": [1, 3], "seed": [0, 1]}, "n_samples": 20}
    found = run_sweep({k: v for k, v in table.items() if k not in ("zip", "n_layers")})
    assert "agree in n_layers" in found.attrs["shared_data"]


def test_a_stored_cell_is_its_network_again(simulated):
    run, network = restore(simulated, inhibition=1.3, n_active=2, seed=3)
    drawn = rotation_network(run_key(3), inhibition=1.3, **SIZES)
    jax.tree.map(np.testing.assert_array_equal, network, drawn)
    assert int(run.n_samples) == 150
    with pytest.raises(InputError, match="restore"):
        export_npz(simulated, "nowhere.npz", inhibition=1.3, n_active=2, seed=3)


def test_an_estimate_counts_networks_and_blocks():
    found = estimate(parse(TABLE))
    assert (found.models, found.programs, found.blocks) == (8, 1, 2)
    assert 0 < found.memory_gib < 1
    assert found.seconds > 0
