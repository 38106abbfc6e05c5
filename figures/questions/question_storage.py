"""Whether a network holds more circuits when more of its neurons hold on-indicators.

Asked in the discussion under Linsefors & Bushnaq 2025, "Rotations in Superposition": shift storage
from the rotated vector to the on-indicators. Two ways, at equal width: indicator and vector with
assignments of their own ("untied"), or the post's shared assignment with private indicator neurons
beside ("private", which nobody had tried). With half of the neurons for the indicators, the second
is the post's construction. At each share the redundancies are chosen, as `capacity` says.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.settings import require_above
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, all_of, compared
from figures.kit.words import counted, listed, rounded
from figures.questions import capacity
from figures.questions.capacity import capacities, factor, judged, over_seeds, words_of

EQUAL = 0.5
FAMILIES = {
    "private": "shared neurons, and private ones for the indicator",
    "untied": "indicator and vector apart (untied)",
}
EITHER = "either"
ENDS = ("", "_low", "_high")

# What the analysis' own variables are.
WORDS = {
    "capacity": "largest number of circuits with an error below the level",
    "outside": "1 where the error stays below the level for all numbers of circuits, -1 above",
    "curve": "capacity at a share of neurons for indicators, geometric mean over networks",
    "curve_low": "lower end of its 95 % interval",
    "curve_high": "upper end of its 95 % interval",
    "ratio": "log of capacity with more than half of the neurons for indicators, over equal split",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
}


def check(plan: Any) -> None:
    """Refuse a level or layers that give no capacity, and a factor that has no logarithm.

    Raises:
        InputError: a setting out of range.
    """
    capacity.check(plan)
    require_above("gain_that_counts", plan.settings["gain_that_counts"], 0)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return capacities by design, by share of neurons, and their ratio to the equal split.

    `capacity` (condition, design, seed); `curve` (condition, point); `ratio` (condition, way).
    """
    found = capacities(
        dataset, np.ravel(dataset["layers"].values).tolist(), float(dataset["level"])
    )
    family, share = (dataset[n].broadcast_like(dataset["design"]).values for n in NAMES)
    points = [(k, f) for k in FAMILIES for f in np.unique(share[family == k])]
    each, outside = found["capacity"].values, found["outside"].values
    curve = over_seeds(
        [[judged(of[(family == k) & (share == f)]) for k, f in points] for of in each]
    )
    more, equal = share > EQUAL + 1e-9, np.abs(share - EQUAL) < 1e-9
    ways = [EITHER, *FAMILIES]
    mine = [more & (np.isin(family, list(FAMILIES)) if w == EITHER else family == w) for w in ways]
    ratio = over_seeds(
        [
            [judged(of[m], out[m]) - judged(of[equal], out[equal]) for m in mine]
            for of, out in zip(each, outside, strict=True)
        ]
    )
    found = found.assign_coords(
        family=("design", family),
        share_on=("design", share),
        redundancy=("design", dataset["redundancy"].broadcast_like(dataset["design"]).values),
        redundancy_on=("design", dataset["redundancy_on"].broadcast_like(dataset["design"]).values),
        point_family=("point", [k for k, _ in points]),
        point_share=("point", [f for _, f in points]),
        way=ways,
    )
    for i, end in enumerate(ENDS):
        found[f"curve{end}"] = (("condition", "point"), np.exp(curve[..., i]))
        found[f"ratio{end}"] = (("condition", "way"), ratio[..., i])
    return found


NAMES = ("circuits", "share_on")


def verdict(dataset: xr.Dataset) -> str:
    """Say whether capacity grows by more than the factor that counts in every condition."""
    of = dataset.sel(way=EITHER)
    ends = zip(of["ratio_low"].values, of["ratio_high"].values, strict=True)
    counts = np.log(float(dataset["gain_that_counts"]))
    return all_of([compared(low, high, counts) for low, high in ends])


def claim(dataset: xr.Dataset) -> str:
    """Say by which factor the capacity changes in each condition."""
    of = dataset.sel(way=EITHER)
    each = np.stack([of[f"ratio{end}"].values for end in ENDS], axis=-1)
    parts = [f"{factor(values)} ({words_of(dataset, k)})" for k, values in enumerate(each)]
    n = len(each)
    counts = float(dataset["gain_that_counts"])
    judgements = [compared(low, high, np.log(counts)) for _, low, high in each]
    gains, fails = judgements.count(SUPPORTED), judgements.count(NOT_SUPPORTED)
    return (
        f"With more than half of {int(dataset['width']):,} neurons for indicators, the circuits "
        f"held at an error of {float(dataset['level']):g} are those of the best equal split times "
        f"{listed(parts)}: above {counts:g} in {gains} of {counted(n, 'condition')}, below it in "
        f"{fails}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are, how designs were chosen, and where the grid ends."""
    n_outside = int((dataset["outside"] != 0).sum())
    parts = [
        "redundancies S (and for the ratio the share) chosen on half of the networks, judged on "
        "the other half, and the reverse; bars: 95 % Student intervals over networks",
        "z circuits active at once; capacity between two numbers of "
        "circuits interpolated in logarithms",
        "designs and sweep are ours; the post has shared neurons and an equal split",
    ]
    if n_outside:
        found = counted(n_outside, "capacity", "capacities")
        parts.append(f"{found} outside the numbers of circuits, drawn at their end")
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw capacity against the share for each condition, and its ratio to the equal split."""
    names = [words_of(dataset, k) for k in range(dataset.sizes["condition"])]
    n_columns = len(np.unique(dataset["at_layer"]))
    rows = [[*names[i : i + n_columns], "."] for i in range(0, len(names), n_columns)]
    rows[0][-1] = "ratio"
    size = (3.3 * n_columns + 4.6, 3.2 * len(rows) + 0.6)
    figure, panel = panels(axes, rows, figsize=size)
    for k, name in enumerate(names):
        _draw_curves(panel[name], dataset.isel(condition=k), naive=int(dataset["width"]) // 4)
        panel[name].set_title(f"{name}")
    for row in rows:
        panel[row[0]].set_ylabel(f"capacity: circuits T\nwith error < {float(dataset['level']):g}")
    for name in rows[-1][:-1]:
        panel[name].set_xlabel("share of neurons for indicators")
    _draw_ratios(panel["ratio"], dataset, names)
    return figure


def _draw_curves(ax: Axes, dataset: xr.Dataset, naive: int) -> None:
    ax.axvline(EQUAL, color=style.PALE, zorder=0)
    ax.axhline(naive, color=style.NULL, ls=":", lw=1.2, zorder=0)
    for i, name in enumerate(FAMILIES):
        mine = dataset.isel(point=np.flatnonzero(dataset["point_family"].values == name))
        values = (mine[f"curve{end}"].values for end in ENDS)
        draw_interval(ax, mine["point_share"].values, *values, **style.series(i))
        if name == "private" and EQUAL in mine["point_share"].values:
            post = mine.isel(point=int(np.argmax(mine["point_share"].values == EQUAL)))
            ax.plot(EQUAL, float(post["curve"]), "*", color=style.INK, ms=12, zorder=4)
    ax.set_ylim(0)


def _draw_ratios(ax: Axes, dataset: xr.Dataset, names: list[str]) -> None:
    counts = float(dataset["gain_that_counts"])
    ax.axvline(1, color=style.NULL, lw=1)
    ax.axvline(counts, color=style.RED, ls="--", lw=1.2)
    n = len(names)
    looks = {}
    for i, way in enumerate(FAMILIES):
        mine = dataset.sel(way=way)
        middle, low, high = (np.exp(mine[f"ratio{end}"].values) for end in ENDS)
        y = np.arange(n)[::-1] + 0.15 * (1 - 2 * i)
        bars = np.nan_to_num(np.stack([middle - low, high - middle]))
        ax.errorbar(middle, y, xerr=bars, ls="", capsize=2.5, **style.series(i))
        looks[FAMILIES[way]] = {**style.series(i), "lw": 1.4}
    looks["the post's split"] = {"marker": "*", "color": style.INK, "ms": 12, "ls": ""}
    looks[f"one neuron each, exact: T = {int(dataset['width']) // 4}"] = {
        "color": style.NULL,
        "ls": ":",
    }
    looks[f"gain that counts: {rounded(counts)}"] = {"color": style.RED, "ls": "--"}
    ax.set(yticks=np.arange(n)[::-1], yticklabels=names, ylim=(-0.6, n - 0.4))
    ax.set_xlabel("capacity over that of the best equal split")
    ax.set_title("more than half for the indicators")
    legend = legend_of(ax, looks, loc="upper left", bbox_to_anchor=(-0.05, -0.35))
    legend.set_in_layout(False)  # it stands on the empty place below
