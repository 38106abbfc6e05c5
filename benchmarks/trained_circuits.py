"""Milliseconds per training step of a network of circuits: our engine and a plain PyTorch loop.

    python -m benchmarks.trained_circuits [--seconds 3] [--rounds 5]

T rotations in width D with L layers, the class-balanced squared error, Adam, fresh examples in
each step; both sides train one network after the other, in turns. Brackets hold least and greatest.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.ours import OurLoop, make_block
from benchmarks.torch_loop import import_torch
from benchmarks.turns import Loop, in_turns
from toymodels.tasks.circuits import angles_of

ROWS: tuple[dict[str, Any], ...] = (
    {"n_circuits": 75, "width": 200, "n_layers": 3, "batch_size": 256},
    {"n_circuits": 20, "width": 84, "n_layers": 3, "batch_size": 128},
)
LEARNING_RATE = 3e-4


class CircuitRow:
    """A sweep of rotation networks of one size, as a block of the engine takes it."""

    def __init__(self, n_models: int, sizes: dict[str, Any]) -> None:
        """Take how many networks are trained, and their sizes."""
        self.models, self.sizes = n_models, sizes

    def table(self) -> dict[str, Any]:
        """Return the sweep's config."""
        return self.sizes | {
            "name": "benchmark",
            "task": "rotations",
            "model": "rotations",
            "redundancy": 4,
            "assignment": "transversal",
            "learning_rate": LEARNING_RATE,
            "schedule": "constant",
            "measures": [],
            "grid": {"seed": {"range": self.models}},
        }


class TorchCircuits:
    """The same networks in PyTorch, first weights and all but the examples' randomness."""

    def __init__(self, torch: Any, block: Any) -> None:
        """Copy the first weights of a block of ours."""
        cell = block.program.cell(0)
        model = cell.init.draw(jax.random.key(0))
        self.torch, self.task, self.n_models = torch, cell.task, block.n_models
        self.batch_size, (self.E, self.W, self.b, self.U) = (
            cell.spec.batch_size,
            (torch.tensor(np.asarray(leaf)) for leaf in (model.E, model.W, model.b, model.U)),
        )
        self.after = torch.tensor(float(cell.task.n_layers) * angles_of(cell.task.room))
        self.states = [self._state() for _ in range(self.n_models)]

    def _state(self) -> Any:
        weights = [t.clone().requires_grad_() for t in (self.W, self.b)]
        return weights, self.torch.optim.Adam(weights, lr=LEARNING_RATE)

    def steps(self, n: int) -> None:
        """Take n steps of every network, one network after the other."""
        for (W, b), optimizer in self.states:
            for _ in range(n):
                optimizer.zero_grad()
                self._loss(W, b).backward()
                optimizer.step()

    def _loss(self, W: Any, b: Any) -> Any:
        torch, T, B = self.torch, self.task.room, self.batch_size
        t, phase = torch.randint(T, (B,)), 2 * np.pi * torch.rand(B)
        given, wanted, rows = torch.zeros(3, T, B), torch.zeros(3, T, B), torch.arange(B)
        given[0, t, rows] = wanted[0, t, rows] = 1
        given[1, t, rows], given[2, t, rows] = torch.cos(phase), torch.sin(phase)
        after = phase + self.after[t]
        wanted[1, t, rows], wanted[2, t, rows] = torch.cos(after), torch.sin(after)
        A = torch.relu(self.E @ given.reshape(3 * T, B) + b[0][:, None])
        for layer in range(W.shape[0]):
            A = torch.relu(W[layer] @ A + b[layer + 1][:, None])
        error = ((self.U @ A).reshape(3, T, B) - wanted) ** 2
        weight = torch.where(wanted[:1] > 0.5, 1.0, 1.0 / (T - 1))
        return (error * weight).sum(dim=(0, 1)).mean()


def make_sides(n_models: int, sizes: dict[str, Any], torch: Any) -> dict[str, Loop]:
    """Set up both sides, or ours alone."""
    ours = OurLoop(make_block(CircuitRow(n_models, sizes)))
    sides: dict[str, Loop] = {"ours": ours}
    if torch is not None:
        sides["torch"] = TorchCircuits(torch, ours.block)
    return sides


def main(arguments: Sequence[str] | None = None) -> None:
    """Print for each size the milliseconds of a step of one network, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=int, default=4)
    options = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for sizes in ROWS:
        sides = make_sides(options.models, sizes, import_torch())
        times = in_turns(sides, options.seconds, options.rounds)
        told = ", ".join(f"{k} {_spread(v / options.models)}" for k, v in times.items())
        words = "T = {n_circuits}, D = {width}, L = {n_layers}, batches of {batch_size}"
        print(f"{words.format(**sizes)}: ms a step of one network, {told}")
        if "torch" in times:
            print(f"  torch / ours: {_spread(times['torch'] / times['ours'])}")
        else:
            print("  torch is not installed: pip install -e '.[bench]'")


def _spread(values: np.ndarray) -> str:
    low, middle, high = np.quantile(values, (0, 0.5, 1))
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


if __name__ == "__main__":
    main()
