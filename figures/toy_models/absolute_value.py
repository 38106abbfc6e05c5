"""F35, F36: three absolute values by six neurons, in three pictures, and how often they are found.

Elhage et al. 2022, "Computation in Superposition". With as many neurons as it takes the model
learns one for each sign of each feature. Its weights are drawn as the paper draws them: neurons
rescaled so that their largest weight is 1 or -1.

Runs that fail lack one half of an absolute value, or several: p/6 of loss each. Such a half has no
gradient where its output starts below 0, which with first weights of either sign it often does. It
seldom happens in a dense world, where other features raise the output now and then, nor with a
positive decoder.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, panels
from figures.kit.words import NUMBERS, counted, listed, rounded
from figures.toy_models import computation_panels as paint
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.errors import InputError
from toymodels.measures.balanced import rescaled_neurons
from toymodels.theory import distance_to_exact

EXACT = 1e-6  # loss below which a run has found the exact solution
ALIKE = 0.05  # and how far its weights may be from it

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "distance": "largest difference of a rescaled weight or bias from the exact solution",
    "share": "share of seeds with a loss below 1e-6",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "n_seeds": "seeds that did not diverge",
    "share_alike": "share of the seeds with such a loss whose weights are the exact solution's",
}
MOSAIC = [["graph", "W", "stacks", "share"], ["graph", "V", "stacks", "share"]]


def check(plan: Any) -> None:
    """Refuse sizes for which there is no such solution.

    Raises:
        InputError: other than two neurons for each feature.
    """
    for variant in plan.config.variants:
        n, m = variant["n_features"], variant["n_hidden"]
        if m != 2 * n:
            raise InputError(
                f"n_hidden = {m}: absolute-value draws two neurons for each of n_features = {n}; "
                f"give n_hidden={2 * n}, or run the sweep with `toymodels sweep run`."
            )


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each density, and count how many found the exact solution."""
    best = best_over_seeds(dataset)
    best["best_seed"] = best["best_seed"].astype(int)
    found = dataset["loss"] < EXACT
    distance = xr.apply_ufunc(
        _distance,
        *(dataset["W"], dataset["V"], dataset["b"]),
        input_core_dims=[["hidden", "feature"], ["feature", "hidden"], ["feature"]],
        vectorize=True,
    )
    share = share_over_seeds(dataset, found)
    for name in ("share", "low", "high"):
        best[name] = share[name]
    best["n_seeds"] = share["n"]
    best["share_alike"] = (distance < ALIKE).where(found).mean("seed")
    of_best = distance.where(dataset["seed"] == best["best_seed"]).max("seed")
    best["distance"] = of_best.fillna(np.inf)
    return best


def _distance(W: Any, V: Any, b: Any) -> float:
    """Return the distance of one model from the exact solution; infinite if it has diverged."""
    finite = all(np.all(np.isfinite(a)) for a in (W, V, b))
    return distance_to_exact(W, V, b) if finite else np.inf


def claim(dataset: xr.Dataset) -> str:
    """Say whether the best model is the exact solution, and how many seeds find it."""
    n, m = (dataset.sizes[k] for k in ("feature", "hidden"))
    words = [NUMBERS[k] if k < len(NUMBERS) else str(k) for k in (m, n)]
    if not int(dataset["n_seeds"].max()):
        return "Every run diverged"
    values = f"{words[1]} absolute value{'s' * (n > 1)}"
    if float(dataset["share"].max()) == 0:
        return f"In no seed {words[0]} neurons compute {values} exactly"
    text = f"{words[0].capitalize()} neurons compute {values} exactly"
    if float(dataset["distance"].min()) < ALIKE:
        text += ", one for each sign of each"
    densities = listed(f"{p:g}" for p in dataset["p_active"].values)
    of = counted(int(dataset["n_seeds"].max()), "seed")
    shares = [_shares(dataset.sel(init_decoder=k), k) for k in dataset["init_decoder"].values]
    return f"{text}: at density {densities} found by {', '.join(shares)} ({of} each)"


def _shares(cells: xr.Dataset, start: str) -> str:
    """Say the shares of seeds from one start."""
    shares = ("–" if np.isnan(share) else f"{share:.0%}" for share in cells["share"].values)
    return f"{listed(shares)} from a {start} start"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts, what is drawn, and what the paper leaves open."""
    best = dataset.isel(_drawn(dataset))
    drawn = f"density {float(best['p_active']):g}, loss {rounded(best['loss'])}"
    parts = [
        f"found: a loss below {EXACT:g}, where answering 0 loses a third of the density for each "
        "feature; bars: 95 % intervals",
        f"drawn: the best seed at {drawn}, each neuron rescaled to a largest weight of 1 or −1",
        "positive start: first weights W₂ of one sign, so that no output is off from the beginning",
        "the paper states neither density nor importance nor start: these are ours, importance 1",
    ]
    alike = dataset["share_alike"].values
    if not np.all(np.isnan(alike)):
        of = f"{np.nanmin(alike):.0%}" + (" or more" if np.nanmin(alike) < 1 else "")
        parts.append(
            f"{of} of the seeds that found it are within {ALIKE:g} of the exact weights, ±1 in and "
            "1 out"
        )
    return parts


def _drawn(dataset: xr.Dataset) -> dict[str, int]:
    """Return which cell's best model is drawn: the nearest to the exact solution."""
    distance = dataset["distance"]
    where = np.unravel_index(int(np.argmin(distance.values)), distance.shape)
    return {str(dim): int(i) for dim, i in zip(distance.dims, where, strict=True)}


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw one model as graph, matrices and stacks, and the shares of seeds."""
    size = {"figsize": (11.6, 3.9), "width_ratios": [1.25, 1, 1, 0.9]}
    figure, panel = panels(axes, MOSAIC, **size)
    cell = dataset.isel(_drawn(dataset))
    W, V, _ = rescaled_neurons(cell["W"].values, cell["V"].values)
    order = _order(np.asarray(W))
    W, V = np.asarray(W)[order], np.asarray(V)[:, order]
    colors = [style.series(i)["color"] for i in range(W.shape[1])]
    paint.draw_graph(panel["graph"], W, V, colors)
    panel["graph"].set_title("as a graph (red: +, blue: −)")
    for name, M, words in (("W", W.T, "W₁, inputs"), ("V", V, "W₂, outputs")):
        image = paint.draw_weights(panel[name], M)
        panel[name].set(ylabel=words, yticks=range(W.shape[1]))
        panel[name].set_yticklabels([str(i + 1) for i in range(W.shape[1])])
    panel["W"].set_title("as matrices")
    panel["V"].set_xlabel("neurons")
    figure.colorbar(image, ax=[panel["W"], panel["V"]], ticks=[-1, 0, 1], shrink=0.6, aspect=16)
    paint.draw_stacks(panel["stacks"], W, colors)
    panel["stacks"].set(title="as stacks of W₁", xlabel="neurons", ylabel="weight into the neuron")
    _draw_shares(panel["share"], dataset)
    return figure


def _order(W: np.ndarray) -> np.ndarray:
    """Return neurons by their feature, the positive half first."""
    largest = np.argmax(np.abs(np.nan_to_num(W)), axis=1)
    return np.lexsort((W[np.arange(len(W)), largest] < 0, largest))


def _draw_shares(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many seeds find the exact solution, by density."""
    x, starts = np.arange(dataset.sizes["p_active"]), dataset["init_decoder"].values
    for i, start in enumerate(starts):
        at = x + 0.24 * (i - (len(starts) - 1) / 2)
        share, low, high = (dataset[k].sel(init_decoder=start) for k in ("share", "low", "high"))
        look = {"fmt": ("o", "s")[i % 2], "color": (style.INK, style.RED)[i % 2], "ms": 6}
        draw_interval(ax, at, share, low, high, label=f"{start} start", **look)
    ax.legend(loc="lower left")
    ax.set(xlim=(-0.6, len(x) - 0.4), ylim=(0, 1.03), xticks=x, xlabel="density 1 − S")
    ax.set_xticklabels([f"{p:g}" for p in dataset["p_active"].values])
    ax.set(title="exact solution found", ylabel="share of seeds")
