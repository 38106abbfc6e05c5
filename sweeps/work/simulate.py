"""Simulation: networks of circuits in superposition, drawn and run, never trained.

The record that `circuits` names says what is drawn and measured. With "rotations" a cell is
`toymodels.circuits.simulate_rotations` with the key of its seed, bit for bit. All cells of a seed
share angles, shuffles and examples as far as their sizes agree, so differences between cells carry
little noise.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import xarray as xr
from flax import struct

from sweeps.machine import Machine
from sweeps.plan import Block, Layout, Program
from sweeps.work.base import Advance, Output, Variables, Work
from sweeps.work.timing import twice
from toymodels.circuits.constructions.rotations import Construction, Limited
from toymodels.circuits.examples import require_examples
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError, require_range
from toymodels.fields import Field, fields_of
from toymodels.streams import run_key

# What a block may cost, in the units of `cost_of_cell`: seconds of work, so that little is lost
# by a kill.
BLOCK_COST = 5e8

# What is timed for an estimate, in the same units.
TIMED_COST = 5e7

# How settings are called in a caption.
LETTERS = {"width": "D", "n_circuits": "T", "redundancy": "S", "bias": "b", "n_layers": "L"}


@struct.dataclass
class Simulation:
    """A network and how it is run: with how many circuits active, on how many examples."""

    network: Construction
    n_active: Any  # []
    n_samples: Any  # []


class Simulate(Work):
    """Draw networks of circuits and measure their errors by layer."""

    name, version = "simulate", 3
    words = (simulate_rotations,)

    def cell(  # noqa: D417 - the others are told of by `words`
        self, *, circuits: Construction, n_active: int = 1, n_samples: int = 1000
    ) -> Simulation:
        """Make one simulation.

        Args:
            circuits: which small circuits in which network; naming them asks for this kind of work.

        Raises:
            InputError: more circuits active than there are or than these allow, or no examples.
        """
        require_range("n_samples", n_samples, 1, 100_000_000)
        require_examples(n_active, n_samples, circuits.n_circuits)
        if isinstance(circuits, Limited):
            circuits.require_active(n_active)
        return Simulation(circuits, np.int64(n_active), np.int64(n_samples))

    def variables(self, run: Simulation) -> Variables:
        """Return errors by layer, with their dimensions."""
        errors = dataclasses.fields(run.network.errors)
        return {f.name: tuple(f.metadata.get("dims", ())) for f in errors} | {"diverged": ()}

    def cut(self, program: Program, machine: Machine) -> Iterator[Block]:
        """Cut a program into blocks of one seed, cells of one network beside each other.

        Raises:
            InputError: the memory does not hold a network and its examples.
        """
        cells = [program.cell(c) for c in range(program.points.shape[1])]
        _require_memory(cells[0], machine.memory)
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
        return block.program.cell(0).network.n_bytes()

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
        once, drawing = twice(lambda: cell.network.draw(key))
        network, few = cell.network.draw(key), (int(cell.n_active), n_samples)
        more, running = twice(lambda: cell.network.simulate(key, network, *few))
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
            how = int(cell.n_active), int(cell.n_samples)
            rows.append(cell.network.simulate(key, network, *how))
            advance(cost_of_cell(cell))
        fields = _fields(rows, block.program.cell(0).network.finite)
        layers = [f.values.shape[2] for f in fields.values() if f.dims[:1] == ("layer",)]
        return Output(fields, {"layer": np.arange(layers[0])})

    def data(self, run: Simulation) -> Any:
        """Return the sizes that what is drawn depends on."""
        return *run.network.sizes(), int(run.n_active), int(run.n_samples)

    def data_of(self, program: Program) -> list[Any]:
        """Return `data` of every cell: how many are active and examined is a number."""
        return [self.data(program.cell(c)) for c in range(program.points.shape[1])]

    def restore(self, run: Simulation, stored: xr.Dataset, key: Any) -> Any:
        """Draw the network again, as it was."""
        return run.network.draw(key)

    def untrained(self, run: Simulation) -> Any:
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
            if key in dataset.coords and dataset[key].ndim == 0
        ]
        n_infinite = int((dataset["diverged"] != 0).sum())
        return parts + (
            [f"{n_infinite} infinite cell{'s' * (n_infinite != 1)} left out"] if n_infinite else []
        )


SIMULATE = Simulate()


def _fields(rows: list[Any], finite: tuple[str, ...]) -> dict[str, Field]:
    """Join the errors of a block's cells, values `[1, C, …]`; `finite` names what may blow up."""
    each = [fields_of(row) for row in rows]
    fields = {
        name: field.holding(np.stack([row[name].values for row in each])[None])
        for name, field in each[0].items()
    }
    blew_up = [not np.isfinite([row[name].values for name in finite]).all() for row in each]
    words = "1 where the errors of active circuits are not finite"
    fields["diverged"] = Field(np.array([blew_up], np.int8), (), words, ("finite", "diverged"))
    return fields


def cost_of_cell(run: Simulation) -> int:
    """Return about what one cell takes, in additions of a sparse read."""
    return run.network.cost(int(run.n_samples))


def _n_drawn(cells: list[tuple[Block, int]]) -> int:
    """Return how many networks are drawn: one for all cells in a row that agree in it."""
    drawn, last = 0, None
    for block, c in cells:
        this = block.program.cell(c).network, block.seeds[0]
        drawn, last = drawn + (this != last), this
    return drawn


def _floats(network: Construction) -> list[float]:
    return [float(leaf) for leaf in jax.tree.leaves(network)]


def _require_memory(run: Simulation, memory: int) -> None:
    least = run.network.n_bytes()
    if least > memory:
        raise InputError(
            f"memory = {memory / 2**30:.3g} GiB does not hold a network with its examples, which "
            f"needs about {least / 2**30:.3g} GiB: raise memory or lower width."
        )
