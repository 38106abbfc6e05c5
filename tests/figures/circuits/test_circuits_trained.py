"""The figure of trained circuits: capacities between tested sizes, and what it says of any data."""

import jax
import numpy as np
import pytest
import xarray as xr

from figures.circuits import circuits_trained
from figures.circuits.circuits_trained import capacities, growth, largest_held, linked
from toymodels.circuits import prime_steps
from toymodels.models.circuit_start import RotationNetwork, links_of

STARTS = {
    "init": ("start", ["construction", "construction", "random"]),
    "readout": ("start", ["fixed", "fixed", "trained"]),
    "steps": ("start", [1, 800, 800]),
}
CELLS = ("start", "n_circuits", "n_active", "seed")


def found(error=0.01, seeds=3):
    """An analysed dataset by hand."""
    rng = np.random.default_rng(0)
    shape = (3, 2, 2, seeds)
    by_layer = error * rng.uniform(0.9, 1.1, (*shape, 3))
    dataset = xr.Dataset(
        {
            "diverged": (CELLS, np.zeros(shape, np.int8)),
            "error_by_layer": ((*CELLS, "layer"), by_layer),
            "error": (CELLS, by_layer[..., -1]),
            "error_inactive": (CELLS, by_layer[..., 0]),
            "false_on": (CELLS, by_layer[..., 0]),
            "error_elsewhere": ((*CELLS, "tested_active"), by_layer[..., :2]),
            "response": ((*CELLS, "strength"), np.broadcast_to([0.0, 0.2, 1.0], (*shape, 3))),
            "own_share": ((*CELLS, "layer"), np.full((*shape, 3), 0.5)),
            "neurons_of_circuit": ((*CELLS, "layer"), np.full((*shape, 3), 9.0)),
            "inhibition_kept": (CELLS, np.full(shape, 0.9)),
            "strength": ("strength", [0.0, 0.25, 1.0]),
            "tested_z": ("tested_active", [1, 2]),
            "null_share": 0.1,
            "width": 132,
            "n_active_of_capacity": 2,
        },
        coords=STARTS | {"n_circuits": [30, 60], "n_active": [1, 2], "layer": [1, 2, 3]},
    )
    return dataset.merge(capacities(cells()), compat="override")


def cells():
    """Cells of two widths in which the error is (T / D)², so that D / √10 circuits are held."""
    T, D = np.tile([10, 30, 100, 200], 2), np.repeat([100, 200], 4)
    error = np.broadcast_to(((T / D) ** 2)[:, None, None, None], (8, 3, 1, 1))
    dims = ("network", "seed", "tested_active", "layer")
    names = ("init", "steps", "width", "n_circuits")
    values = (["random"] * 8, [800] * 8, D, T)
    return xr.Dataset(
        {"mse_x_active_tested": (dims, error), "spurious_tested": (dims, 0 * error)},
        coords={k: ("network", v) for k, v in zip(names, values, strict=True)} | {"n_active": 2},
    )


def test_capacities_lie_between_tested_sizes_and_grow_as_they_do():
    dataset = capacities(cells())
    expected = np.array([[100, 200]]) / 10**0.5
    np.testing.assert_allclose(dataset["capacity"].mean("seed_of_capacity"), expected, rtol=1e-5)
    np.testing.assert_allclose(growth(dataset, 0)[0], 1, rtol=1e-5)


def test_links_are_between_copies_that_serve_one_circuit_and_inhibition_is_the_rest():
    """The mask of unlinked neurons is that of the start, so that links alone keep no inhibition."""
    start = RotationNetwork.start(
        n_circuits=4, width=48, n_layers=3, redundancy=3, assignment=prime_steps
    )
    network = start.network(jax.random.key(0))
    np.testing.assert_array_equal(linked(network.embedding, 48), links_of(network) > 0)


@pytest.mark.parametrize(
    ("ratio", "held"),
    [([0.1, 0.5, 0.9], 40), ([2, 3, 4], 0), ([0.5, 2.0, 0.5], 10 * 2**0.5), ([0.5, np.nan, 1], 10)],
)
def test_the_first_bound_that_is_passed_counts(ratio, held):
    assert largest_held(np.array([10.0, 20.0, 40.0]), np.array(ratio)) == pytest.approx(held)


@pytest.mark.parametrize(("error", "seeds"), [(0.01, 3), (3.0, 1), (np.nan, 2)])
def test_it_says_what_came_out_of_any_data_and_draws_it(error, seeds, paper_style):
    dataset = found(error, seeds)
    said, more = circuits_trained.claim(dataset), circuits_trained.finding(dataset)
    assert "the construction " in said
    assert "trained from random weights with their read-out 31 to 63" in said
    assert "T ∝ D^1.00" in more
    assert "trained from the construction: it answers 0.2, 50% on its own copies, 90% kept" in more
    drawn = circuits_trained.draw(dataset)
    assert len(drawn.axes) == 6
    assert "below 0.1" in circuits_trained.caption(dataset)[0]
