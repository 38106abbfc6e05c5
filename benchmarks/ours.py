"""Our side: a block of the engine, cut and laid out by the planner as in any sweep."""

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from sweeps.machine import DEFAULT_MEMORY_GIB, Machine
from sweeps.plan import Block, make_programs
from sweeps.work.engine import start_block, train_block


@dataclass(frozen=True)
class Row:
    """A problem: n → m for cells × seeds models; densities run from 0.05 to 1 over the cells."""

    n_features: int
    n_hidden: int
    cells: int
    seeds: int
    batch_size: int = 1024

    @property
    def models(self) -> int:
        """How many models are trained."""
        return self.cells * self.seeds

    @property
    def name(self) -> str:
        """What the row is called."""
        return f"{self.n_features}→{self.n_hidden} × {self.models:,}"

    @property
    def scale(self) -> float:
        """The Xavier-normal standard deviation of one model's weights."""
        return (2 / (self.n_features + self.n_hidden)) ** 0.5

    def p_active(self) -> np.ndarray:
        """Return the density of every model, `[seeds · cells]`."""
        return np.tile(np.linspace(0.05, 1.0, self.cells), self.seeds)

    def table(self) -> dict[str, Any]:
        """Return the sweep's config."""
        return {
            "name": "benchmark",
            "model": "relu",
            "n_features": self.n_features,
            "n_hidden": self.n_hidden,
            "init_scale": self.scale,
            "batch_size": self.batch_size,
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "weight_decay": 0.01,
            "schedule": "constant",
            "grid": {
                "p_active": {"linear": [0.05, 1.0, self.cells]},
                "seed": {"range": self.seeds},
            },
        }


class Tabled(Protocol):
    """Anything that says which sweep it is."""

    def table(self) -> dict[str, Any]:
        """Return the sweep's config."""
        ...


def memory_bytes() -> int:
    """Return what a block may take: half of a GPU, the default setting on a CPU."""
    stats = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    if stats:
        return stats["bytes_limit"] // 2
    return int(DEFAULT_MEMORY_GIB * 2**30)


def make_block(row: Tabled) -> Block:
    """Cut the row's sweep; it must fit in one block."""
    from sweeps.config.parse import parse  # machines with a GPU may lack what reading configs needs

    config = parse(row.table())
    (program,) = make_programs(config.grid, config.build, config.seed)
    (block,) = program.work.cut(program, Machine.here(memory_bytes()))
    return block


class OurLoop:
    """A block on its way; `steps(n)` takes n steps of every model and waits for the device."""

    def __init__(self, block: Block) -> None:
        """Draw first weights."""
        self.block = block
        self.run, self.state, self.key_data = start_block(self.block)
        self.t = 0

    def steps(self, n: int) -> None:
        """Take n steps."""
        layout = self.block.layout
        self.state = train_block(self.run, self.state, self.key_data, self.t, n, layout=layout)
        jax.block_until_ready(self.state)
        self.t += n
