"""What each loss rewards in networks of rotation circuits.

The plain mean over all circuits of the squared error, of its third and fourth power, and the losses
that average active and inactive circuits apart. With one circuit of T active, errors of active ones
weigh 1/T in the plain mean. "MSE loss does not generate superposition" (Linsefors and co-author)
says so of bottlenecks; here it is measured for circuits. The measurements are our own.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.tested import as_trained, false_ones, require_tested
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import rounded
from sweeps.stats import median_over_seeds

WORDS = {
    "computed_share": "share of circuits whose error, when active, is below `computed`",
    "error_of_circuit": "error of the circuits when active, by their rank",
    "false_on": "inactive circuits that read as on, for each active one",
}

SMALLEST = 1e-4


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return the share of circuits computed, sorted errors of circuits, and false ones."""
    error = as_trained(dataset, "mse_of_circuit")
    spurious = as_trained(dataset, "spurious_tested").isel(layer=-1)
    found = xr.Dataset(attrs=dataset.attrs)
    found["diverged"] = dataset["diverged"]
    known = error.notnull().sum("circuit")
    found["computed_share"] = (error < dataset["computed"]).sum("circuit") / known.where(known > 0)
    ranked = error.copy(data=np.sort(error.values, axis=error.get_axis_num("circuit")))
    found["error_of_circuit"] = ranked.rename(circuit="rank")
    found["false_on"] = false_ones(dataset, spurious).astype(np.float32)
    found["computed_share"] = found["computed_share"].astype(np.float32)
    return found.assign_coords(steps=dataset["steps"])


def losses(dataset: xr.Dataset) -> list[str]:
    """Return what the losses are called; those that are trained for longer say for how long."""
    keys = ("exponent", "class_balance", "steps")
    found, least = [], int(dataset["steps"].min())
    for q, balance, steps in zip(*(dataset[key].values for key in keys), strict=True):
        longer = f" {int(steps):,} steps" if steps > least else ""
        found.append(f"{_kind(float(balance))} L{q:g}{longer}")
    return found


def _kind(balance: float) -> str:
    named = {0.0: "plain", 1.0: "balanced"}
    return named.get(balance, f"balanced to {balance:g}")


def starts(dataset: xr.Dataset) -> list[str]:
    """Return what the starts are called."""
    words = {"construction": "from the construction", "random": "from random weights"}
    return [words[str(init)] for init in dataset["init"].values]


def claim(dataset: xr.Dataset) -> str:
    """Say which share of circuits each loss computes."""
    share = median_over_seeds(dataset.isel(n_active=0), "computed_share")
    said = [
        f"{loss} {' and '.join(_percent(share.isel(objective=i, start=k)) for k in range(n))}"
        for n in [dataset.sizes["start"]]
        for i, loss in enumerate(losses(dataset))
    ]
    T, z, steps = (
        int(n) for n in (dataset["n_circuits"], share["n_active"], dataset["steps"].min())
    )
    return (
        f"Of T = {T} circuits, {z} active, networks trained {' and '.join(starts(dataset))} "
        f"compute in {steps:,} steps by each loss: {', '.join(said)}"
    )


def _percent(of: xr.Dataset) -> str:
    low, middle, high = (float(of[name]) for name in ("low", "median", "high"))
    return f"{middle:.0%} ({low:.0%}–{high:.0%})" if low < high else f"{middle:.0%}"


def finding(dataset: xr.Dataset) -> str:
    """Say how many inactive circuits read as on, and the same with more circuits active."""
    z, said = int(dataset["n_active"][-1]), []
    at = dataset.isel(n_active=-1)
    share, false_on = (median_over_seeds(at, n) for n in ("computed_share", "false_on"))
    for i, loss in enumerate(losses(dataset)):
        parts = [
            f"{_percent(share.isel(objective=i, start=k))} and "
            f"{rounded(false_on['median'].isel(objective=i, start=k))} {start}"
            for k, start in enumerate(starts(dataset))
        ]
        said.append(f"{loss} {', '.join(parts)}")
    return (
        f"With {z} active the share computed and the inactive circuits that read as on, for each "
        f"active one: {'; '.join(said)}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as computed, and what balanced means."""
    return [
        f"computed: an error below {float(dataset['computed']):g} when active, where |x|² = 1 and "
        "reading 0 errs by 1",
        "false ones: inactive circuits with an indicator above ½, for each active one",
        "plain: mean over all circuits; balanced: over active ones plus over inactive ones",
    ]


def check(plan: Any) -> None:
    """Refuse numbers of active circuits that are not tested."""
    require_tested(plan)


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw for each z: the share computed, false ones, and errors of circuits by rank."""
    zs = [int(z) for z in dataset["n_active"].values]
    names = [[f"{what}, z = {z}" for what in ("computed", "false", "errors")] for z in zs]
    figure, panel = panels(axes, names, figsize=(16.5, 4.1 * len(zs)))
    for row, z in zip(names, zs, strict=True):
        mine = dataset.sel(n_active=z)
        _draw_by_loss(panel[row[0]], mine, "computed_share", f"share of circuits computed, z = {z}")
        _draw_by_loss(panel[row[1]], mine, "false_on", f"false ones for each active, z = {z}")
        panel[row[1]].set_yscale("symlog", linthresh=0.01)
        panel[row[1]].set_ylim(bottom=0)
        panel[row[0]].set_ylim(-0.03, 1.03)
        _draw_ranks(panel[row[2]], mine, z)
    looks = {n: {"color": style.series(i)["color"]} for i, n in enumerate(losses(dataset))}
    dashes = zip(starts(dataset), ("-", "--"), strict=False)
    looks |= {name: {"color": style.INK, "ls": dash} for name, dash in dashes}
    legend_of(panel[names[0][2]], looks, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _draw_by_loss(ax: Axes, mine: xr.Dataset, name: str, label: str) -> None:
    found, at = median_over_seeds(mine, name), np.arange(mine.sizes["objective"])
    for k, start in enumerate(starts(mine)):
        of = found.isel(start=k)
        look = style.series(k) | {"ls": "none", "label": start}
        draw_interval(ax, at + 0.16 * (k - 0.5), of["median"], of["low"], of["high"], **look)
    ax.set_xticks(at, [loss.replace(" ", "\n", 2) for loss in losses(mine)])
    ax.set_ylabel(label)
    ax.legend(fontsize=8)


def _draw_ranks(ax: Axes, mine: xr.Dataset, z: int) -> None:
    """Draw sorted errors of circuits: line style by start, colour by loss; the median of seeds."""
    middle = mine["error_of_circuit"].median("seed")
    rank = (1 + np.arange(mine.sizes["rank"])) / mine.sizes["rank"]
    for i in range(mine.sizes["objective"]):
        for k in range(mine.sizes["start"]):
            error = np.maximum(middle.isel(objective=i, start=k).values, SMALLEST)
            ax.plot(rank, error, color=style.series(i)["color"], ls=("-", "--")[k % 2], lw=1.4)
    ax.axhline(1, color=style.NULL, lw=0.9, ls=":")
    ax.axhline(float(mine["computed"]), color=style.GREY, lw=0.9)
    ax.set_yscale("log")
    ax.set_xlabel("circuits, sorted by their error (share)")
    ax.set_ylabel(f"error of each circuit when active, z = {z}")
