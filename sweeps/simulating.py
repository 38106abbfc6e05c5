"""Simulate the cells of a sheet: circuits in superposition, drawn and run, never trained.

A simulated cell is a `Run` whose spec is a `SimulationSpec`; its blocks are stored, joined and
resumed as trained ones are. The numbers are those of `toymodels.circuits.simulate_rotations` with
the key of the cell's seed, bit for bit: all cells of a seed share angles, shuffles and examples
as far as their sizes agree, so differences between cells carry little noise.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from flax import struct

from sweeps.plan import Block, Layout, Sheet, first_cell
from toymodels.circuits.assignment import Assignment
from toymodels.circuits.examples import (
    BLOCK_BYTES,
    LARGEST_BLOCK,
    LARGEST_CREW,
    bytes_per_example,
)
from toymodels.circuits.forward import Gating
from toymodels.circuits.network import Network
from toymodels.circuits.simulation import RotationErrors, rotation_network, simulate_network
from toymodels.circuits.small_circuits import ROTATION_NEURONS as NEURONS
from toymodels.circuits.small_circuits import ROTATION_VALUES as VALUES
from toymodels.errors import InputError
from toymodels.training import Run

# What a block may cost, in the units of `cost_of_cell`: seconds of work, so that little is lost
# by a kill.
BLOCK_COST = 5e8

# What each field of `RotationErrors` is, for readers of a result.
ERRORS = {field.name: field.metadata["words"] for field in dataclasses.fields(RotationErrors)}


@struct.dataclass
class ActiveRotations:
    """The task: so many rotation circuits active at once, their vectors drawn on the circle."""

    n_active: Any  # []


@struct.dataclass
class RotationInit:
    """How a network of rotation circuits is drawn: `init(key)`."""

    bias: Any  # []
    inhibition: Any  # []
    gain: Any  # []
    n_circuits: int = struct.field(pytree_node=False)
    width: int = struct.field(pytree_node=False)
    redundancy: int = struct.field(pytree_node=False)
    n_layers: int = struct.field(pytree_node=False)
    assignment: Assignment = struct.field(pytree_node=False)

    def __call__(self, key: jax.Array) -> Network:
        """Draw the network."""
        return rotation_network(
            key,
            n_circuits=self.n_circuits,
            width=self.width,
            redundancy=self.redundancy,
            n_layers=self.n_layers,
            bias=float(self.bias),
            inhibition=float(self.inhibition),
            gain=float(self.gain),
            assignment=self.assignment,
        )


@struct.dataclass
class SimulationSpec:
    """How a network is measured: on how many examples, through which gate."""

    n_samples: Any  # []
    gating: Gating = struct.field(pytree_node=False)


def is_simulated(run: Run) -> bool:
    """Tell whether a run is to be simulated."""
    return isinstance(run.spec, SimulationSpec)


def key_of(seed: int) -> jax.Array:
    """Return the key that a cell of this seed hands to `simulate_rotations`."""
    return jax.random.key(seed)


def _cell(sheet: Sheet, c: int) -> Run:
    return jax.tree.map(lambda leaf: leaf[c], sheet.run)


def cost_of_cell(run: Run) -> int:
    """Return about what one cell takes, in additions of a sparse read."""
    init, n_samples = run.init, int(run.spec.n_samples)
    assert isinstance(init, RotationInit)
    each = init.n_circuits * init.redundancy + init.width
    return init.n_layers * n_samples * each


def cost_of_block(block: Block) -> int:
    """Return about what a block takes, in the units of `cost_of_cell`."""
    return sum(cost_of_cell(_cell(block.sheet, c)) for c in block.cell_index)


def cut_simulations(sheet: Sheet, memory: int) -> Iterator[Block]:
    """Cut a sheet into blocks of one seed, cells of one network beside each other.

    Raises:
        InputError: the memory does not hold a network and its examples.
    """
    cells = [_cell(sheet, c) for c in range(sheet.points.shape[1])]
    _require_memory(cells[0], memory)
    order = sorted(range(len(cells)), key=lambda c: _floats(cells[c].init))
    groups, cost = [[]], 0
    for c in order:
        cost += cost_of_cell(cells[c])
        if groups[-1] and cost > BLOCK_COST:
            groups.append([])
            cost = cost_of_cell(cells[c])
        groups[-1].append(c)
    for seed in range(sheet.points.shape[0]):
        for group in groups:
            cell_index = np.array(group)
            points = sheet.points[seed : seed + 1, cell_index]
            yield Block(sheet, np.array([seed]), cell_index, Layout(1, len(group)), points)


def _floats(init: Any) -> list[float]:
    return [float(leaf) for leaf in jax.tree.leaves(init)]


def simulate_block(block: Block, on_cost: Callable[[int], None]) -> dict[str, np.ndarray]:
    """Simulate a block; named arrays with leading axes `[1, C]`, as training's are.

    Args:
        block: one seed's cells; a network serves all cells in a row that agree in it.
        on_cost: called with a cell's cost each time one is finished.
    """
    key = key_of(block.sheet.seeds[int(block.seed_index[0])])
    drawn, network, rows = None, None, []
    for c in block.cell_index:
        run = _cell(block.sheet, c)
        if network is None or run.init != drawn:
            drawn, network = run.init, run.init(key)
        n_active, n_samples = int(run.task.n_active), int(run.spec.n_samples)
        how: dict[str, Any] = {"n_active": n_active, "n_samples": n_samples}
        rows.append(simulate_network(key, network, gating=run.spec.gating, **how))
        on_cost(cost_of_cell(run))
    arrays = {
        f"layer/{name}": np.stack([getattr(row, name) for row in rows])[None] for name in ERRORS
    }
    diverged = np.array([[_blew_up(row) for row in rows]])
    return arrays | {"diverged": diverged, "points": block.points}


def _blew_up(errors: RotationErrors) -> bool:
    return not np.isfinite([errors.mse_x_active, errors.mse_on_active]).all()


def simulation_bytes(block: Block) -> int:
    """Return about what a block takes while it runs: one network, and examples on each thread."""
    return _bytes(first_cell(block.sheet))


def _bytes(run: Run) -> int:
    init = run.init
    assert isinstance(init, RotationInit)
    n_copies = init.width // NEURONS
    examples = LARGEST_BLOCK * bytes_per_example(init.n_circuits, n_copies, VALUES, NEURONS)
    crew = min(os.cpu_count() or 1, LARGEST_CREW)
    lists = 8 * init.n_layers * init.n_circuits * init.redundancy
    backgrounds = 4 * (init.n_layers + 1) * n_copies**2  # one for each layer but 1, two in work
    return crew * min(examples, BLOCK_BYTES) + lists + backgrounds


def _require_memory(run: Run, memory: int) -> None:
    least = _bytes(run)
    if least > memory:
        assert isinstance(run.init, RotationInit)
        raise InputError(
            f"memory = {memory / 2**30:.3g} GiB does not hold a network of width {run.init.width} "
            f"with its examples, which needs about {least / 2**30:.3g} GiB: raise memory or lower "
            "width."
        )


def simulation_seconds(sheets: list[list[Block]]) -> float:
    """Return about how long the blocks of all sheets take, from one of middling cost."""
    blocks = [block for of_sheet in sheets for block in of_sheet]
    costs = [cost_of_block(block) for block in blocks]
    middle = int(np.argsort(costs)[len(costs) // 2])
    times = []
    for _ in range(2):  # the first compiles
        began = time.monotonic()
        simulate_block(blocks[middle], lambda cost: None)
        times.append(time.monotonic() - began)
    return times[0] - times[1] + times[1] * sum(costs) / costs[middle]
