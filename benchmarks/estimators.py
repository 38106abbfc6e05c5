"""Seconds of a training step by how the loss is estimated: plain, stratified, exact, Fourier.

    python -m benchmarks.estimators [--rounds 5] [--seconds 0.4]

A step of half the noise is worth two steps (figure `estimators` draws the noise), so an estimator
pays where its ratio of noises is above the ratio of times printed here. All densities and seeds of
a size are trained side by side as in a sweep, where plain batches share their random numbers. The
estimators take turns; the fastest round of each counts.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.ours import OurLoop, Row, make_block
from benchmarks.turns import in_turns
from toymodels.exact.expected import LARGEST_F

ESTIMATORS = ("sampled", "stratified", "exact", "fourier")
CELLS, SEEDS = 7, 4
SIZES = ((2, 1), (5, 2), (20, 5), (80, 20), (200, 20))


@dataclass(frozen=True)
class EstimatorRow(Row):
    """A problem whose loss is estimated in one of the ways."""

    estimator: str = "sampled"

    def table(self) -> dict[str, Any]:
        """Return the sweep's config."""
        return super().table() | {"estimator": self.estimator}


ROWS = tuple(EstimatorRow(n, m, CELLS, SEEDS) for n, m in SIZES)


def seconds_per_step(row: EstimatorRow, rounds: int, seconds: float) -> dict[str, float]:
    """Return the seconds of one step of one model, by estimator; where there is none, nothing."""
    names = [name for name in ESTIMATORS if name != "exact" or row.n_features <= LARGEST_F]
    loops = {name: OurLoop(make_block(replace(row, estimator=name))) for name in names}
    times = in_turns(loops, seconds, rounds)
    return {name: times[name].min() / 1e3 / row.models for name in names}


def print_rows(rows: Sequence[EstimatorRow], rounds: int, seconds: float) -> None:
    """Print one line for each size: the time of a plain step, and how many times longer others."""
    print(f"{'size':<14}{'plain step':>12}" + "".join(f"{name:>12}" for name in ESTIMATORS[1:]))
    for row in rows:
        found = seconds_per_step(row, rounds, seconds)
        plain = found["sampled"]
        more = [f"{found[n] / plain:.2f} ×" if n in found else "—" for n in ESTIMATORS[1:]]
        print(f"{row.name:<14}{plain * 1e6:>9.3g} µs" + "".join(f"{text:>12}" for text in more))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.4)
    options = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print_rows(ROWS, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
