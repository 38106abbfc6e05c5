"""Milliseconds per training step: our engine and a plain PyTorch loop, in turns, in one run.

    python -m benchmarks.training [--seconds 1] [--rounds 7]

Each round times both sides one after the other, for a second each; a ratio is the median over
rounds of torch's time by ours. Brackets hold least and greatest. Both train the same models by the
same recipe (see `torch_loop`), with one difference that is the point: our cells of one seed share
their random numbers.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.ours import OurLoop, Row, make_block
from benchmarks.rates import ProductsLoop, matrix_rate, memory_rate, operations, roofline
from benchmarks.torch_loop import TorchLoop, import_torch
from benchmarks.turns import Loop, in_turns

ROWS = (Row(5, 2, 125, 8), Row(2, 1, 125, 8), Row(20, 5, 25, 4), Row(200, 20, 20, 1))
LARGE_ROWS = (Row(5, 2, 1250, 8), Row(2, 1, 1250, 8), Row(20, 5, 1250, 8))  # on a GPU
WIDE = 100  # from so many features on the products should dominate


def on_gpu() -> bool:
    """Tell whether JAX runs on something else than a CPU."""
    return jax.default_backend() != "cpu"


def make_sides(row: Row, torch: Any) -> dict[str, Loop]:
    """Set up both sides, or ours alone."""
    ours = OurLoop(make_block(row))
    sides: dict[str, Loop] = {"ours": ours}
    if torch is not None:
        device = "cuda" if on_gpu() and torch.cuda.is_available() else "cpu"
        importance = np.ones(row.n_features)
        how: dict[str, Any] = {"scale": row.scale, "batch_size": row.batch_size, "device": device}
        sides["torch"] = TorchLoop(row.p_active(), importance, row.n_hidden, **how)
    if row.n_features >= WIDE:
        sides["products"] = ProductsLoop(row, ours.block.layout)
    return sides


def spread(values: np.ndarray | None, digits: int = 2) -> str:
    """Write a median with its least and greatest."""
    if values is None:
        return "–"
    low, middle, high = (f"{v:.{digits}f}" for v in np.quantile(values, (0, 0.5, 1)))
    return f"{middle} ({low}–{high})"


def print_line(*cells: str) -> None:
    """Print one line of the table."""
    widths = (16, 22, 24, 20, 18)
    print("".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip(), flush=True)


def print_row(row: Row, times: dict[str, np.ndarray]) -> None:
    """Print a row's line."""
    ours, torch = times["ours"], times.get("torch")
    ratio = None if torch is None else torch / ours
    rate = row.models / np.median(ours) * 1e3
    print_line(row.name, spread(ours), spread(torch), spread(ratio, 1), f"{rate:,.0f}")


def print_shares(row: Row, times: dict[str, np.ndarray], size: int = 2048) -> None:
    """Print how near a row of large matrices is to the machine's own speed."""
    ours, rate = float(np.median(times["ours"])) / 1e3, matrix_rate(size)
    achieved = operations(row) / ours
    print(
        f"  {row.name}: {achieved / 1e9:.0f} Gop/s of the {rate / 1e9:.0f} Gop/s of a "
        f"{size}³ float32 product: {achieved / rate:.0%}\n"
        f"  {row.name}: the five products alone take {spread(times['products'])} ms: "
        f"{np.median(times['products'] / times['ours']):.0%} of the step"
    )


def print_rooflines(measured: dict[Row, dict[str, np.ndarray]], size: int = 2048) -> None:
    """Print each row's least time, from operations and bytes counted, and the share reached."""
    ops_rate, byte_rate = matrix_rate(size), memory_rate(size**2)
    print(f"roofline: {ops_rate / 1e12:.3g} Top/s, {byte_rate / 1e9:.0f} GB/s, measured here")
    for row, times in measured.items():
        least = roofline(row, ops_rate, byte_rate)
        share = least.seconds * 1e3 / np.median(times["ours"])
        print(
            f"  {row.name}: {least.operations / 1e9:.3g} Gop and {least.bytes / 1e6:.3g} MB a "
            f"step, at least {least.seconds * 1e3:.3g} ms; {share:.1%} of that speed reached"
        )


def print_head(torch: Any, seconds: float, rounds: int) -> None:
    """Print what is compared, on what."""
    device, cores = jax.devices()[0].device_kind, len(os.sched_getaffinity(0))
    print(f"jax {jax.__version__} on {device}, {cores} cores, load {os.getloadavg()[0]:.1f}")
    if torch is None:
        print("torch is not installed (pip install 'toymodels[bench]'): our rows alone.")
    else:
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{rounds} rounds in turns, {seconds:g} s each: median (least–greatest)")
    print_line("problem", "ours, ms/step", "torch, ms/step", "ratio", "models × steps / s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print every row."""
    parser = argparse.ArgumentParser(prog="benchmarks.training", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seconds", type=float, default=1.0, help="of one timing")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args(arguments)
    torch = import_torch()
    print_head(torch, given.seconds, given.rounds)
    measured: dict[Row, dict[str, np.ndarray]] = {}
    for row in ROWS + (LARGE_ROWS if on_gpu() else ()):
        measured[row] = in_turns(make_sides(row, torch), given.seconds, given.rounds)
        print_row(row, measured[row])
    for row, times in measured.items():
        if "products" in times:
            print_shares(row, times)
    if on_gpu():
        print_rooflines(measured)


if __name__ == "__main__":
    main()
