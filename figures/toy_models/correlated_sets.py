"""What figures of correlated features share: cosines within sets and across, and their drawing.

W is [hidden, feature]; sets are equally large and hold neighbouring features.
"""

from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from figures.kit import style
from toymodels.errors import InputError
from toymodels.exact.sets import MOST_SETS, expected_loss_in_sets

REPRESENTED = 0.5  # a feature counts as represented from this norm on
SHORT = 0.1  # a column up to this length has no direction to speak of
COLLAPSED = 0.95  # mates count as one direction from this cosine on


def require_sets(n_features: int, n_sets: int, size: int | None = None) -> None:
    """Refuse sets that are not of the size that a figure draws, or more than the exact loss takes.

    Raises:
        InputError: sets of one feature, of another size or of different sizes, one set or too many.
    """
    each = n_features // n_sets if n_sets > 0 else 0
    if each * n_sets != n_features or each < 2 or size not in (None, each):
        wanted = "equal sets of two or more" if size is None else f"sets of {size}"
        raise InputError(f"n_features = {n_features}, n_sets = {n_sets}: give {wanted}.")
    if not 2 <= n_sets <= MOST_SETS:
        raise InputError(f"n_sets = {n_sets}: give from 2 to {MOST_SETS}.")


def cosines(W: NDArray) -> NDArray:
    """Return cosines between the columns of `W […, M, F]`, `[…, F, F]`; NaN without a length."""
    norm = np.linalg.norm(W, axis=-2, keepdims=True)
    unit = W / np.where(norm > SHORT, norm, np.nan)
    return np.swapaxes(unit, -1, -2) @ unit


def set_of(n_features: int, n_sets: int) -> NDArray:
    """Return which set each feature is in, `[F]`."""
    return np.arange(n_features) // (n_features // n_sets)


def within(C: NDArray, n_sets: int) -> NDArray:
    """Return the cosines between mates, `[…, G s (s − 1) / 2]`, set by set."""
    return _above(C, n_sets, same=True)


def across(C: NDArray, n_sets: int) -> NDArray:
    """Return the cosines between features of different sets."""
    return _above(C, n_sets, same=False)


def _above(C: NDArray, n_sets: int, *, same: bool) -> NDArray:
    """Return what stands above the diagonal, of one set or of two."""
    of = set_of(C.shape[-1], n_sets)
    i, j = np.triu_indices(C.shape[-1], 1)
    keep = (of[i] == of[j]) == same
    return C[..., i[keep], j[keep]]


def exact_losses(dataset: xr.Dataset, n_sets: int) -> xr.DataArray:
    """Return the exact losses of models in a world of correlated sets, over all cells.

    Features beyond the sizes of this world make sets that are never active: one program serves
    worlds of any number of equal sets.
    """
    cells = dataset.transpose(..., "hidden", "feature")
    W, b = cells["W"], cells["b"]
    p = dataset["p_active"].broadcast_like(b.isel(feature=0, drop=True)).transpose(*b.dims[:-1])
    n = int(dataset["n_features"])
    beyond = np.arange(b.shape[-1]) >= n  # [F]
    more = len(beyond) // (n // n_sets) - n_sets  # sets
    of_sets = np.repeat([1.0, 0.0], [n_sets, more]) * p.values[..., None]
    arrays = np.where(beyond, 0, W.values), np.where(beyond, 0, b.values), of_sets
    flat = (np.float32(a).reshape(p.size, *a.shape[p.ndim :]) for a in arrays)
    found = _losses(*flat, n_sets + more)
    return p.copy(data=np.asarray(found, np.float64).reshape(p.shape)).drop_attrs()


@partial(jax.jit, static_argnums=3)
def _losses(W: Any, b: Any, p: Any, n_sets: int) -> Any:
    return jax.vmap(partial(expected_loss_in_sets, n_sets=n_sets))(W, b, p)


def canonical(W: NDArray) -> NDArray:
    """Turn `W [2, F]` so that feature 0 points up, and the next one off its line to the left."""
    turn = np.pi / 2 - np.arctan2(W[1, 0], W[0, 0])
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array([[cos, -sin], [sin, cos]]) @ W
    aside = turned[0][np.abs(turned[0]) > 0.1]
    flip = -1.0 if aside.size and aside[0] > 0 else 1.0
    return turned * np.array([[flip], [1.0]])


def draw_sets(ax: Axes, W: NDArray, n_sets: int, limit: float = 1.5) -> None:
    """Draw the columns of `W [2, F]`, turned, a colour for each set, a ring for its first."""
    W = canonical(np.nan_to_num(W))
    ax.set_facecolor(style.CREAM)
    for line in (ax.axhline, ax.axvline):
        line(0, color=style.GREY, lw=0.7, ls=(0, (4, 4)), zorder=0)
    of = set_of(W.shape[1], n_sets)
    for i, (x, y) in enumerate(W.T):
        color, first = style.SERIES[of[i]][0], i == 0 or of[i] != of[i - 1]
        ax.plot([0, x], [0, y], color=color, lw=1.8, zorder=2)
        look = {"fc": "none", "ec": color, "s": 95, "lw": 1.6} if first else {"c": color, "s": 30}
        ax.scatter([x], [y], zorder=3, **look)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
