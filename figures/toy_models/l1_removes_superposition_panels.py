"""The panels of the figure of a penalty on hidden activations."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.panels import draw_interval
from sweeps.stats import mean_over_seeds

LOOKS: dict[str, dict[str, Any]] = {
    "l1": {"color": style.SERIES[0][0], "marker": "o", "ms": 4, "label": "L1, λ‖h‖₁"},
    "l2": {"color": style.SERIES[5][0], "marker": "P", "ms": 5, "label": "L2, λ‖h‖²"},
}
NOTE: dict[str, Any] = {"fontsize": 8, "color": style.NOTE}
OFFSET: dict[str, Any] = {"textcoords": "offset points"}
MODELS = {"relu": "h = W x", "hidden_relu": "h = ReLU(W x)"}
ENOUGH = 3  # seeds; the interval of two is as wide as 13 standard errors
X_LABEL = "coefficient λ"


def along(result: xr.Dataset, way: str) -> tuple[NDArray[np.int64], NDArray]:
    """Return the cells of one penalty by rising coefficient, none first, and the coefficients."""
    weights = result[f"{way}_hidden"].values
    other = result["l2_hidden" if way == "l1" else "l1_hidden"].values
    which = np.flatnonzero(other == 0)
    which = which[(weights[which] > 0) | (which == 0)]
    which = which[np.argsort(weights[which], kind="stable")]
    return which, weights[which]


def world(dataset: xr.Dataset, i: int) -> str:
    """Return what is trained, and in which world, in words."""
    model, p = (_value(dataset, name, i) for name in ("model", "p_active"))
    return f"{MODELS.get(str(model), str(model))}, density {float(p):g}"


def _value(dataset: xr.Dataset, name: str, i: int) -> Any:
    values = dataset[name].values
    return values[i] if values.ndim else values.item()


def _curve(ax: Axes, dataset: xr.Dataset, name: str, way: str, **look: Any) -> None:
    """Draw a mean over seeds with its interval against the coefficient; 0 stands at the left."""
    which, weights = along(dataset, way)
    of = mean_over_seeds(dataset.isel(penalty=which), name)
    x = positions(dataset, weights)
    low, high = (of[end].where(of["n"] >= ENOUGH) for end in ("low", "high"))
    draw_interval(ax, x, of["average"], low, high, **({"elinewidth": 0.8} | look))


def positions(dataset: xr.Dataset, weights: NDArray) -> NDArray:
    """Return where coefficients stand on a logarithmic axis: 0 left of all others."""
    return np.where(weights > 0, weights, _zero(dataset))


def _zero(dataset: xr.Dataset) -> float:
    every = np.concatenate([dataset[f"{way}_hidden"].values for way in LOOKS])
    return float(every[every > 0].min()) / 3 if (every > 0).any() else 1.0


def _axis(ax: Axes, dataset: xr.Dataset) -> None:
    zero = _zero(dataset)
    ax.set_xscale("log")
    most = max(float(dataset[f"{way}_hidden"].max()) for way in LOOKS)
    ticks = [t for t in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0) if 1.5 * zero < t <= most]
    ax.set_xticks([zero, *ticks], ["0", *(f"{t:g}" for t in ticks)])
    ax.minorticks_off()
    ax.set_xlabel(X_LABEL)


def draw_held(ax: Axes, dataset: xr.Dataset, removed: float) -> None:
    """Draw how many features are represented by the coefficient of L1, in each world."""
    m = int(dataset["n_hidden"])
    for i in range(dataset.sizes["world"]):
        look = style.series(i) | {"label": world(dataset, i), "ms": 4, "lw": 1.8 if i == 0 else 1.1}
        _curve(ax, dataset.isel(world=i), "n_represented", "l1", **look)
    ax.axhline(m, color=style.GREY, lw=1.0, zorder=0)
    ax.annotate("m", (1, m), (-2, 2), **_in_axes(ax, NOTE), ha="right")
    if np.isfinite(removed):
        color = style.series(0)["color"]
        ax.plot(removed, m, "*", ms=13, color=color, mec="white", zorder=5)
        how: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": color}
        how |= {"arrowprops": {"arrowstyle": "-", "color": color, "lw": 0.8}}
        ax.annotate(f"at most m: λ = {removed:.2g}", (removed, m), (-20, 62), **how)
    _axis(ax, dataset)
    ax.set(ylabel="represented features", title="L1 removes superposition …")
    ax.set_ylim(bottom=0)
    ax.legend(loc="lower left", fontsize=7.5)


def _in_axes(ax: Axes, look: dict[str, Any]) -> dict[str, Any]:
    return look | OFFSET | {"xycoords": ax.get_yaxis_transform()}


def draw_loss(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the loss without the penalty, in units of the naive solution's."""
    for i in range(dataset.sizes["world"]):
        look = style.series(i) | {"ms": 4, "lw": 1.8 if i == 0 else 1.1}
        _curve(ax, dataset.isel(world=i), "relative_loss", "l1", **look)
    _mark_naive(ax, dataset)
    _axis(ax, dataset)
    ax.set_ylabel("loss without the penalty / naive loss")
    ax.set_title("… at the price of the loss")


def _mark_naive(ax: Axes, dataset: xr.Dataset) -> None:
    m = int(dataset["n_hidden"])
    ax.axhline(1, color=style.NULL, lw=1.2, ls="--", zorder=0)
    ax.annotate(f"naive: {m} dedicated features", (0, 1), (4, 3), **_in_axes(ax, NOTE))


def draw_trade(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw represented features against the loss, by both penalties, in the first world."""
    first = dataset.isel(world=0)
    for way, look in LOOKS.items():
        which, _ = along(first, way)
        cells = first.isel(penalty=which)
        x, y = (cells[k].values for k in ("relative_loss", "n_represented"))
        ax.scatter(x, y, s=6, alpha=0.4, lw=0, color=look["color"])
        x, y = (mean_over_seeds(cells, k)["average"] for k in ("relative_loss", "n_represented"))
        ax.plot(x, y, lw=1.4, **look)
    ax.axvline(1, color=style.NULL, lw=1.2, ls="--", zorder=0)
    ax.axhline(int(dataset["n_hidden"]), color=style.GREY, lw=1.0, zorder=0)
    ax.annotate("naive", (1, 1), (4, -10), xycoords=ax.get_xaxis_transform(), **NOTE | OFFSET)
    ax.annotate("m", (1, int(dataset["n_hidden"])), (-2, 2), **_in_axes(ax, NOTE), ha="right")
    ax.set(xscale="log", ylabel="represented features", xlabel="loss / naive loss")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    ax.set_ylim(bottom=0)
    ax.set_title("at equal loss: L1 or only shrinkage?")
    ax.legend(loc="upper right")


def draw_both(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw a number against the coefficient of either penalty, in the first world."""
    for way, look in LOOKS.items():
        _curve(ax, dataset.isel(world=0), name, way, **look)
    _axis(ax, dataset)


def draw_neurons(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw neurons by feature for either penalty, and those of random directions."""
    draw_both(ax, dataset, "neurons")
    null = float(dataset["neurons_null"])
    ax.axhline(null, color=style.NULL, lw=1.2, ls="--", zorder=0)
    ax.annotate("random directions", (1, null), (-2, -11), **_in_axes(ax, NOTE), ha="right")
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    ax.set(ylabel="neurons by feature  1 / Σ ŵ⁴", title="L1 alone turns features to neurons")
    ax.set_ylim(0.9, None)
    ax.legend(loc="center", bbox_to_anchor=(0.6, 0.3))
