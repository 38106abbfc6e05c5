"""Make `exact_optima.npz`: the least losses known on maps of the six problems of `phase-atlas`.

    python tests/data/make_exact_optima.py

In every cell 8 × 64 random starts descend, none of them a known arrangement; then every cell is
started again from its neighbours' solutions until nothing gets lower. About half an hour on two
cores; done with version 4 of the work "solve", in which the starts of the default search find
nothing lower.
"""

from pathlib import Path

import numpy as np

from toymodels.exact import solve
from toymodels.exact.neighbours import Optima, settle
from toymodels.exact.starts import random_starts

PROBLEMS = ((2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 2))
SIDE = 40
N_STARTS, SEEDS = 64, range(777, 785)
FILE = Path(__file__).with_name("exact_optima.npz")


def cells(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return p_active and importance `[SIDE, SIDE, F]`: rows are importances of the last."""
    r, p = np.meshgrid(np.geomspace(0.1, 10, SIDE), np.geomspace(0.01, 1, SIDE), indexing="ij")
    importance = np.ones((SIDE, SIDE, n_features))
    importance[..., -1] = r
    return np.repeat(p[..., None], n_features, axis=-1), importance


def from_random_starts(n_features: int, n_hidden: int) -> Optima:
    """Return the best ends of all random starts, the cells in a row."""
    p, importance = (a.reshape(-1, n_features) for a in cells(n_features))
    found = []
    for seed in SEEDS:
        starts = random_starts(N_STARTS, n_features, n_hidden, seed)
        W, b = (np.broadcast_to(a, (len(p), *a.shape)) for a in starts)
        found.append(solve(p, importance, n_hidden, starts=(W, b)))
    best = np.argmin([one.loss for one in found], axis=0)
    W, b, loss = (
        np.array([getattr(found[k], name)[c] for c, k in enumerate(best)])
        for name in ("W", "b", "loss")
    )
    return Optima(p, importance, W, b, loss)


def main() -> None:
    """Compute all problems and write the file."""
    losses = {}
    for F, M in PROBLEMS:
        optima = from_random_starts(F, M)
        settled, gained = settle(optima, (SIDE, SIDE), lambda W: 0.0)
        print(f"{F}→{M}: neighbours lower {gained.sum()} of {gained.size} cells")
        losses[f"{F}_{M}"] = settled.loss.astype(np.float32).reshape(SIDE, SIDE)
    np.savez_compressed(FILE, **losses)


if __name__ == "__main__":
    main()
