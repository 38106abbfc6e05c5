"""Simulation: networks of circuits in superposition, drawn and run, never trained.

The numbers are those of `toymodels.circuits.simulate_rotations` with the key of the cell's seed,
bit for bit: all cells of a seed share angles, shuffles and examples as far as their sizes agree,
so differences between cells carry little noise.
"""

import dataclasses
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr
from flax import struct

from sweeps.plan import Block, Layout, Program
from sweeps.work.base import Advance, Output, Work
from sweeps.work.timing import twice
from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.examples import (
    BLOCK_BYTES,
    LARGEST_BLOCK,
    LARGEST_CREW,
    bytes_per_example,
    require_examples,
)
from toymodels.circuits.forward import Gating, relu_gating
from toymodels.circuits.network import Network
from toymodels.circuits.simulation import (
    RotationErrors,
    copies_of,
    rotation_network,
    simulate_network,
    simulate_rotations,
)
from toymodels.circuits.small_circuits import ROTATION_NEURONS as NEURONS
from toymodels.circuits.small_circuits import ROTATION_VALUES as VALUES
from toymodels.errors import InputError, require_range
from toymodels.fields import Field, fields_of, static
from toymodels.streams import run_key

# What a block may cost, in the units of `cost_of_cell`: seconds of work, so that little is lost
# by a kill.
BLOCK_COST = 5e8

# What is timed for an estimate, in the same units.
TIMED_COST = 5e7

# How settings are called in a caption.
LETTERS = {"width": "D", "n_circuits": "T", "redundancy": "S", "bias": "b", "n_layers": "L"}


@struct.dataclass
class Drawn:
    """How a network of rotation circuits is drawn: `draw(key)`."""

    bias: Any  # []
    inhibition: Any  # []
    gain: Any  # []
    n_circuits: int = static()
    width: int = static()
    redundancy: int = static()
    n_layers: int = static()
    assignment: Assignment = static()

    def draw(self, key: jax.Array) -> Network:
        """Draw assignments and angles, and build the network of them."""
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
class Simulation:
    """A network and how it is run: with how many circuits active, on how many examples."""

    network: Drawn
    n_active: Any  # []
    n_samples: Any  # []
    gating: Gating = static()


class Simulate(Work):
    """Draw networks of rotation circuits and measure their errors by layer."""

    name, version = "simulate", 3
    words = (simulate_rotations,)

    def cell(  # noqa: D417 - the others are told of by `words`
        self,
        *,
        n_circuits: int,
        width: int,
        circuits: Literal["rotations"] = "rotations",
        redundancy: int = 6,
        n_active: int = 1,
        n_layers: int = 5,
        n_samples: int = 1000,
        bias: float = 1.0,
        inhibition: float = 1.0,
        gain: float = 2.0,
        assignment: Assignment = prime_steps,
        gating: Gating = relu_gating,
    ) -> Simulation:
        """Make one simulation; letters and bounds are those of `toymodels.circuits`.

        Args:
            circuits: which small circuits; naming them asks for this kind of work.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_range("width", width, 1, 100_000)
        require_range("n_circuits", n_circuits, 1, 1_000_000)
        require_range("n_layers", n_layers, 1, 10_000)
        require_range("n_samples", n_samples, 1, 100_000_000)
        require_range("bias", bias, 0, 1e30)
        require_range("inhibition", inhibition, 0, 1e30)
        require_range("gain", gain, 1, 1e30)
        _check_sizes(assignment, n_circuits, width, redundancy)
        require_examples(n_active, n_samples, n_circuits)
        network = Drawn(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            gain=np.float64(gain),
            n_circuits=n_circuits,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            assignment=assignment,
        )
        return Simulation(network, np.int64(n_active), np.int64(n_samples), gating)

    def names(self, run: Simulation) -> set[str]:
        """Return the names of errors and of their dimensions."""
        return {*(f.name for f in dataclasses.fields(RotationErrors)), "layer", "block", "diverged"}

    def cut(self, program: Program, memory: int) -> Iterator[Block]:
        """Cut a program into blocks of one seed, cells of one network beside each other.

        Raises:
            InputError: the memory does not hold a network and its examples.
        """
        cells = [program.cell(c) for c in range(program.points.shape[1])]
        _require_memory(cells[0], memory)
        order = sorted(range(len(cells)), key=lambda c: _floats(cells[c].network))
        groups, cost = [[]], 0
        for c in order:
            cost += cost_of_cell(cells[c])
            if groups[-1] and cost > BLOCK_COST:
                groups.append([])
                cost = cost_of_cell(cells[c])
            groups[-1].append(c)
        for seed in range(program.points.shape[0]):
            for group in groups:
                cell_index = np.array(group)
                points = program.points[seed : seed + 1, cell_index]
                yield Block(program, np.array([seed]), cell_index, Layout(1, len(group)), points)

    def block_bytes(self, block: Block) -> int:
        """Return the bytes of one network, and of examples on each thread."""
        return _bytes(block.program.cell(0))

    def cost(self, block: Block) -> int:
        """Return about what a block takes, in additions of a sparse read."""
        return sum(cost_of_cell(block.program.cell(c)) for c in block.cell_index)

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Draw the network of a cell of middling cost, and run it on some of its examples."""
        every = [(b, int(c)) for of_program in blocks for b in of_program for c in b.cell_index]
        costs = [cost_of_cell(b.program.cell(c)) for b, c in every]
        block, c = every[int(np.argsort(costs)[len(costs) // 2])]
        cell, key = block.program.cell(c), run_key(block.seeds[0], block.program.root)
        n_samples = max(1, int(min(1.0, TIMED_COST / cost_of_cell(cell)) * cell.n_samples))
        few: dict[str, Any] = {"n_active": int(cell.n_active), "n_samples": n_samples}
        once, drawing = twice(lambda: cell.network.draw(key))
        network = cell.network.draw(key)
        more, running = twice(lambda: simulate_network(key, network, gating=cell.gating, **few))
        cost = cost_of_cell(cell.replace(n_samples=n_samples))
        return once + more + drawing * _n_drawn(every) + running * sum(costs) / cost

    def run(self, block: Block, advance: Advance) -> Output:
        """Simulate a block; a network serves all cells in a row that agree in it."""
        key = run_key(block.seeds[0], block.program.root)
        drawn, network, rows = None, None, []
        for c in block.cell_index:
            cell = block.program.cell(c)
            if network is None or cell.network != drawn:
                drawn, network = cell.network, cell.network.draw(key)
            how: dict[str, Any] = {"n_active": int(cell.n_active), "n_samples": int(cell.n_samples)}
            rows.append(simulate_network(key, network, gating=cell.gating, **how))
            advance(cost_of_cell(cell))
        return Output(_fields(rows), {"layer": np.arange(len(rows[0].mse_x_active))})

    def data(self, run: Simulation) -> Any:
        """Return the sizes that angles, shuffles and examples depend on."""
        n = run.network
        return n.n_circuits, n.width, n.n_layers, int(run.n_active), int(run.n_samples)

    def data_of(self, program: Program) -> list[Any]:
        """Return `data` of every cell: how many are active and examined is a number."""
        return [self.data(program.cell(c)) for c in range(program.points.shape[1])]

    def restore(self, run: Simulation, stored: xr.Dataset, key: Any) -> Network:
        """Draw the network again, as it was."""
        return run.network.draw(key)

    def untrained(self, run: Simulation) -> Network:
        """Return the network as it is drawn, under some key."""
        return run.network.draw(jax.random.key(0))

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how many seeds, examples and of what sizes."""
        n_seeds = dataset.sizes.get("seed", 1)
        parts = [f"{n_seeds} seed{'s' * (n_seeds > 1)}"]
        if dataset["n_samples"].ndim == 0:
            n = dataset["n_samples"].item()
            parts.append(f"{n:,} example{'s' * (n != 1)} each")
        parts += [
            f"{letter} = {dataset[key].item():g}"
            for key, letter in LETTERS.items()
            if dataset[key].ndim == 0
        ]
        n_infinite = int((dataset["diverged"] != 0).sum())
        return parts + (
            [f"{n_infinite} infinite cell{'s' * (n_infinite != 1)} left out"] if n_infinite else []
        )


SIMULATE = Simulate()


@cache
def _check_sizes(assignment: Assignment, n_circuits: int, width: int, redundancy: int) -> None:
    """Let the assignment itself refuse what it cannot hold, before anything runs."""
    assignment(n_circuits, copies_of(width, NEURONS), redundancy)


def _fields(rows: list[RotationErrors]) -> dict[str, Field]:
    """Join the errors of a block's cells, values `[1, C, …]`."""
    each = [fields_of(row) for row in rows]
    fields = {
        name: field.holding(np.stack([row[name].values for row in each])[None])
        for name, field in each[0].items()
    }
    blew_up = [not np.isfinite([row.mse_x_active, row.mse_on_active]).all() for row in rows]
    words = "1 where the errors of active circuits are not finite"
    fields["diverged"] = Field(np.array([blew_up], np.int8), (), words, ("finite", "diverged"))
    return fields


def cost_of_cell(run: Simulation) -> int:
    """Return about what one cell takes, in additions of a sparse read."""
    network, n_samples = run.network, int(run.n_samples)
    each = network.n_circuits * network.redundancy + network.width
    return network.n_layers * n_samples * each


def _n_drawn(cells: list[tuple[Block, int]]) -> int:
    """Return how many networks are drawn: one for all cells in a row that agree in it."""
    drawn, last = 0, None
    for block, c in cells:
        this = block.program.cell(c).network, block.seeds[0]
        drawn, last = drawn + (this != last), this
    return drawn


def _floats(network: Drawn) -> list[float]:
    return [float(leaf) for leaf in jax.tree.leaves(network)]


def _bytes(run: Simulation) -> int:
    network = run.network
    n_copies = network.width // NEURONS
    examples = LARGEST_BLOCK * bytes_per_example(network.n_circuits, n_copies, VALUES, NEURONS)
    crew = min(os.cpu_count() or 1, LARGEST_CREW)
    lists = 8 * network.n_layers * network.n_circuits * network.redundancy
    backgrounds = 4 * (network.n_layers + 1) * n_copies**2  # one a layer but 1, two in work
    return crew * min(examples, BLOCK_BYTES) + lists + backgrounds


def _require_memory(run: Simulation, memory: int) -> None:
    least = _bytes(run)
    if least > memory:
        raise InputError(
            f"memory = {memory / 2**30:.3g} GiB does not hold a network of width "
            f"{run.network.width} with its examples, which needs about {least / 2**30:.3g} GiB: "
            "raise memory or lower width."
        )
