"""The speed costs nothing: final losses over 64 seeds, ours and a plain PyTorch loop's.

    python -m benchmarks.same_losses [--steps 3000] [--seeds 64]

Both train 5→2 at density 0.1 by the same recipe from first weights of the same standard deviation
(Xavier-normal of ONE model: torch's `xavier_normal_` on the whole tensor would depend on how many
are trained). Here every model of ours is a seed of its own, so no two share data on either side.
Both are judged on one large fixed set, by numpy. A two-sample Kolmogorov–Smirnov test compares.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from scipy.stats import ks_2samp

from benchmarks.ours import Row
from benchmarks.torch_loop import TorchLoop, import_torch
from sweeps import run_sweep

P_ACTIVE = 0.1
EVALUATION_SIZE = 200_000
QUANTILES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)


def importance(n_features: int) -> np.ndarray:
    """Return 0.9^i, as in the paper's first figure."""
    return 0.9 ** np.arange(n_features)


def train_ours(row: Row, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Train one cell of all seeds in a sweep; return `W [S, M, F]` and `b [S, F]`."""
    table = row.table() | {
        "steps": steps,
        "p_active": P_ACTIVE,
        "importance": {"law": "geometric", "ratio": 0.9},
        "grid": {"seed": {"range": row.seeds}},
    }
    dataset = run_sweep(table)
    return dataset["W"].values, dataset["b"].values


def train_torch(row: Row, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Train as many instances in the plain loop."""
    import_torch().manual_seed(0)
    p = np.full(row.seeds, P_ACTIVE)
    loop = TorchLoop(p, importance(row.n_features), row.n_hidden, scale=row.scale)
    loop.steps(steps)
    return loop.weights()


def losses(W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the loss of each model on the fixed set, `[S]`."""
    rng, n_features = np.random.default_rng(0), b.shape[1]
    mask = rng.random((n_features, EVALUATION_SIZE)) < P_ACTIVE
    X = np.where(mask, rng.random(mask.shape), 0).astype(np.float32)
    weight = importance(n_features)
    found = []
    for W_, b_ in zip(W, b, strict=True):
        Y = np.maximum(W_.T @ (W_ @ X) + b_[:, None], 0)
        found.append(float(weight @ np.mean((X - Y) ** 2, axis=1)))
    return np.array(found)


def print_distribution(name: str, values: np.ndarray) -> None:
    """Print the quantiles of some losses."""
    cells = " ".join(f"{v:9.5f}" for v in np.quantile(values, QUANTILES))
    print(f"{name:8}{cells} {values.mean():9.5f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both, judge both, compare."""
    parser = argparse.ArgumentParser(prog="benchmarks.same_losses", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=64)
    given = parser.parse_args(arguments)
    if import_torch() is None:
        sys.exit("torch is not installed: pip install 'toymodels[bench]'.")
    row = Row(5, 2, cells=1, seeds=given.seeds)
    print(f"5→2 at p_active = {P_ACTIVE}, {given.steps} steps, {given.seeds} seeds: final losses")
    heads = [*(f"{q:.0%}" for q in QUANTILES), "mean"]
    print(" " * 8 + " ".join(f"{h:>9}" for h in heads))
    both = {}
    for name, train in (("ours", train_ours), ("torch", train_torch)):
        both[name] = losses(*train(row, given.steps))
        print_distribution(name, both[name])
    statistic, p_value = ks_2samp(both["ours"], both["torch"])
    print(f"two-sample Kolmogorov–Smirnov test: D = {statistic:.3f}, p = {p_value:.2f}")


if __name__ == "__main__":
    main()
