"""Error correction inside small circuits, beside a larger share of the large network.

That they are equivalent is said in the discussion under Linsefors & Bushnaq 2025, "Rotations in
Superposition". At equal width a circuit gets m indicators with independent assignments, whose mean
is stepped ("copies"), or one indicator beside the shared one with as many large neurons as those
copies have ("merged"). With m = 2 the two are one network. The null are copies on the same neurons
("echoes"), which err together. Another correction inside the circuit costs no neuron: another step.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.settings import require_at_least
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED, all_of
from figures.kit.words import counted
from figures.questions import capacity
from figures.questions.capacity import capacities, judged, over_seeds, words_of

KEYS = ("circuits", "n_indicators", "gain", "dead_zone")
WAYS = {
    "copies": "copies: each on neurons of its own",
    "merged": "larger share: one on as many neurons",
    "echoes": "echoes: all on the same neurons (null)",
}
LEAST = 3  # indicators from which copies and a larger share are different networks
SAME, STEP = "copies over\nlarger share", "another step\nover the post's"
COPIES, ECHOES = "copies over\none indicator", "echoes over\none indicator"
# Conditions, in other colours than the ways.
LOOKS = (("#000000", "o"), ("#8A8A8A", "s"), ("#D55E00", "^"), ("#CC79A7", "D"))
ENDS = ("", "_low", "_high")

# What the analysis' own variables are.
WORDS = {
    "capacity": "largest number of circuits with an error below the level",
    "outside": "1 where the error stays below the level for all numbers of circuits, -1 above",
    "curve": "capacity of a way, geometric mean over networks",
    "curve_low": "lower end of its 95 % interval",
    "curve_high": "upper end of its 95 % interval",
    "ratio": "log of a ratio of capacities",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
}


def check(plan: Any) -> None:
    """Refuse settings that leave nothing to compare.

    Raises:
        InputError: a setting out of range.
    """
    capacity.check(plan)
    require_at_least("same_within", plan.settings["same_within"], 1.0)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return capacities by design, by way with its redundancy chosen, and ratios of ways.

    `capacity` (condition, design, seed); `curve` (condition, point); `ratio` (condition, pair).
    """
    found = capacities(
        dataset, np.ravel(dataset["layers"].values).tolist(), float(dataset["level"])
    )
    of = {n: dataset[n].broadcast_like(dataset["design"]).values for n in KEYS}
    points = list(dict.fromkeys(zip(*of.values(), strict=True)))
    at = [np.array([p == q for q in zip(*of.values(), strict=True)]) for p in points]
    each, outside = found["capacity"].values, found["outside"].values
    curve = over_seeds([[judged(c[one]) for one in at] for c in each])
    pairs = _pairs(of)
    ratio = over_seeds(
        [
            [judged(c[a], o[a]) - judged(c[b], o[b]) for _, a, b in pairs]
            for c, o in zip(each, outside, strict=True)
        ]
    )
    found = found.assign_coords(
        {n: ("design", values) for n, values in of.items()}
        | {f"point_{n}": ("point", [p[i] for p in points]) for i, n in enumerate(KEYS)}
        | {"pair": ("pair", [name for name, _, _ in pairs])}
    )
    found = found.assign_coords(
        redundancy=("design", dataset["redundancy"].broadcast_like(dataset["design"]).values)
    )
    for i, end in enumerate(ENDS):
        found[f"curve{end}"] = (("condition", "point"), np.exp(curve[..., i]))
        found[f"ratio{end}"] = (("condition", "pair"), ratio[..., i])
    return found


def _pairs(of: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return what is compared: a name, and which designs may be chosen on either side."""
    ways, m = of["circuits"], of["n_indicators"]
    usual = (of["gain"] == of["gain"][0]) & (of["dead_zone"] == of["dead_zone"][0])
    one = (m == 1) & usual
    found = [
        (f"{SAME}, m = {n}", usual & (m == n) & (ways == "copies"), usual & (m == n) & merged)
        for n in np.unique(m[m >= LEAST])
        if (merged := ways == "merged").any()
    ]
    several = usual & (m > 1)
    found += [
        (COPIES, several & (ways == "copies"), one),
        (ECHOES, several & (ways == "echoes"), one),
        (STEP, (m == 1) & ~usual, one),
    ]
    return found


def _ratios(dataset: xr.Dataset) -> np.ndarray:
    """Return log ratios with their ends, `[condition, pair, 3]`."""
    return np.stack([dataset[f"ratio{end}"].values for end in ENDS], axis=-1)


def _same(dataset: xr.Dataset) -> np.ndarray:
    """Return which pairs decide."""
    return np.array([str(name).startswith(SAME) for name in dataset["pair"].values])


def equivalent(low: float, high: float, within: float) -> str:
    """Judge "the ratio lies between 1 / within and within" by an interval of its logarithm."""
    most = np.log(within)
    if low > -most and high < most:
        return SUPPORTED
    return NOT_SUPPORTED if low > most or high < -most else UNDECIDED


def verdict(dataset: xr.Dataset) -> str:
    """Say whether copies hold as many circuits as a larger share in every condition."""
    each = _ratios(dataset)[:, _same(dataset)].reshape(-1, 3)
    within = float(dataset["same_within"])
    return all_of([equivalent(low, high, within) for _, low, high in each])


def claim(dataset: xr.Dataset) -> str:
    """Say the ratios of capacities of copies and share, and what another step does."""
    each, within = _ratios(dataset), float(dataset["same_within"])
    same = each[:, _same(dataset)]
    judgements = [equivalent(low, high, within) for _, low, high in same.reshape(-1, 3)]
    names = [str(name) for name in dataset["pair"].values]
    text = (
        f"Copies of the indicator hold {_range(same)} times the circuits of a larger share with as "
        f"many neurons (within a factor of {within:g} in {judgements.count(SUPPORTED)} of "
        f"{counted(len(judgements), 'comparison')}, outside in {judgements.count(NOT_SUPPORTED)})"
    )
    copies, step = (each[:, names.index(n)] for n in (COPIES, STEP))
    return (
        f"{text}; over the post's one indicator copies hold {_range(copies)} times as many, and "
        f"another step, which costs no neuron, {_range(step)}"
    )


def _range(ratios: np.ndarray) -> str:
    """Write the least and the largest ratio, the ends of all intervals, and what is unknown."""
    unknown = int(np.isnan(ratios[..., 0]).sum())
    if unknown == ratios[..., 0].size:
        return "unknown"
    middle, low, high = np.exp(ratios.reshape(-1, 3).T)
    ends = f" [{np.nanmin(low):.2f}, {np.nanmax(high):.2f}]" if np.isfinite(low).any() else ""
    rest = f" ({unknown} unknown)" if unknown else ""
    return f"{np.nanmin(middle):.2f} to {np.nanmax(middle):.2f}{ends}{rest}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are, how designs were chosen, and where the grid ends."""
    parts = [
        "redundancy S (for ratios over one indicator m and the step too) chosen on half of the "
        "networks, judged on the other half, and the reverse; bars: 95 % Student intervals over "
        "networks",
        "with two indicators copies and larger share are the same network",
        "z circuits active at once; capacity between two numbers of circuits interpolated in "
        "logarithms",
        "designs and sweep are ours; the post has one indicator and a dead zone of 1/4",
    ]
    n_outside = int((dataset["outside"] != 0).sum())
    if n_outside:
        found = counted(n_outside, "capacity", "capacities")
        parts.append(f"{found} outside the numbers of circuits, drawn at their end")
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw capacity against m for each condition, against the dead zone, and the ratios."""
    names = [words_of(dataset, k) for k in range(dataset.sizes["condition"])]
    n_columns = len(np.unique(dataset["at_layer"]))
    rows = [[*names[i : i + n_columns], "step"] for i in range(0, len(names), n_columns)]
    rows = [[*row, "ratio"] for row in rows] if len(rows) == 1 else rows
    rows[0][-1] = "ratio"
    size = (2.9 * n_columns + 5.4, 3.1 * len(rows) + 0.8)
    widths = [1.0] * n_columns + [1.3] * (len(rows[0]) - n_columns)
    figure, panel = panels(axes, rows, figsize=size, width_ratios=widths)
    for k, name in enumerate(names):
        _draw_ways(panel[name], dataset.isel(condition=k))
        panel[name].set_title(name)
    for row in rows:
        panel[row[0]].set_ylabel(f"capacity: circuits T\nwith error < {float(dataset['level']):g}")
    for name in rows[-1][:-1]:
        panel[name].set_xlabel("indicators in a circuit, m")
    _draw_ratios(panel["ratio"], dataset)
    _draw_step(panel["step"], dataset, names)
    looks = {words: {**style.series(i), "lw": 1.4} for i, words in enumerate(WAYS.values())}
    legend_of(panel[rows[-1][0]], looks, loc="lower left", fontsize=7)
    return figure


def _look(k: int) -> dict[str, Any]:
    color, marker = LOOKS[k % len(LOOKS)]
    return {"color": color, "marker": marker, "ms": 5}


def _draw_ways(ax: Axes, dataset: xr.Dataset) -> None:
    way, m, gain, dead_zone = (dataset[f"point_{n}"].values for n in KEYS)
    usual = (gain == gain[0]) & (dead_zone == dead_zone[0])
    for i, name in enumerate(WAYS):
        mine = dataset.isel(point=np.flatnonzero(usual & ((way == name) | (m == 1))))
        mine = mine.sortby("point_n_indicators")
        values = (mine[f"curve{end}"].values for end in ENDS)
        at = mine["point_n_indicators"].values + 0.05 * (i - 1) * (mine["point_n_indicators"] > 1)
        draw_interval(ax, at, *values, **style.series(i))
    ax.set_xticks(np.unique(m[usual]))
    ax.set_ylim(0)


def _draw_step(ax: Axes, dataset: xr.Dataset, names: list[str]) -> None:
    """Draw what the dead zone does with the post's slope, and another slope with its own."""
    _, m, gain, dead_zone = (dataset[f"point_{n}"].values for n in KEYS)
    ax.axhline(1, color=style.NULL, lw=1, zorder=0)
    for k, name in enumerate(names):
        curve = dataset["curve"].isel(condition=k).values
        post = curve[0]
        same = np.flatnonzero((m == 1) & (gain == gain[0]))
        same = same[np.argsort(dead_zone[same])]
        ax.plot(dead_zone[same], curve[same] / post, label=name, **_look(k))
        other = (m == 1) & (gain != gain[0])
        look = {**_look(k), "ls": "", "mfc": "none"}
        ax.plot(dead_zone[other], curve[other] / post, **look)
    ax.set_xlabel("dead zone δ of the step (open: steeper step)")
    ax.set_ylabel("capacity over that of the post's step")
    ax.set_title("one indicator, other steps")
    ax.legend()


def _draw_ratios(ax: Axes, dataset: xr.Dataset) -> None:
    within = float(dataset["same_within"])
    pairs = [str(name) for name in dataset["pair"].values]
    n = len(pairs)
    ax.axvspan(1 / within, within, color=style.PALE, zorder=0, lw=0)
    ax.axvline(1, color=style.NULL, lw=1, zorder=0)
    conditions = range(dataset.sizes["condition"])
    for k in conditions:
        middle, low, high = np.exp(_ratios(dataset)[k].T)
        y = np.arange(n)[::-1] + 0.14 * ((len(conditions) - 1) / 2 - k)
        bars = np.nan_to_num(np.stack([middle - low, high - middle]))
        ax.errorbar(middle, y, xerr=bars, ls="", capsize=2, **_look(k))
    ax.set(yticks=np.arange(n)[::-1], yticklabels=pairs, ylim=(-0.6, n - 0.4), xscale="log")
    ticks = [0.3, 0.5, 1, 2]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_xlabel(f"ratio of capacities (grey: within a factor of {within:g})")
    ax.set_title("what changes capacity")
