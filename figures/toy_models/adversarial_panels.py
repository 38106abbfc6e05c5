"""The panels of the figure of adversarial vulnerability."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from figures.kit import style
from figures.kit.panels import draw_interval
from figures.toy_models.adversarial_attacks import ATTACKS, LONGER
from sweeps.stats import mean_over_seeds

PAPER_RATIO = 3  # "> 3×"
PAPER_ATTACK = 0.8  # "80 % of input norm"
PAPER_COLOR = style.SERIES[3][0]
WORLD = ("n_features", "n_hidden", "p_active")  # what a world of the training is made of
NAMES = {
    "analytic": "the paper's attack",
    "longer": f"{LONGER:g} times as long",
    "strongest": "sharpened by its gradient",
    "random directions": "null: same ‖Wᵢ‖, random directions",
}
LOOKS: dict[str, dict[str, Any]] = {
    "analytic": {"color": style.INK, "marker": "o", "ms": 3.5},
    "longer": {"color": style.SERIES[0][0], "marker": "s", "ms": 3, "lw": 1.0},
    "strongest": {"color": style.SERIES[5][0], "marker": "^", "ms": 3, "lw": 1.0},
    "random directions": {"color": style.NULL, "marker": "", "lw": 1.4, "ls": "--"},
}
NOTE: dict[str, Any] = {"fontsize": 8}
ENOUGH = 3  # seeds; the interval of two is as wide as 13 standard errors
X_LABEL = "1 / (1 − S)   (sparser →)"


def _log(ax: Axes, which: str = "xy") -> None:
    if not np.isfinite(ax.dataLim.get_points()).all():
        return  # nothing is drawn: every run diverged
    for name in which:
        getattr(ax, f"set_{name}scale")("log")
        axis = getattr(ax, f"{name}axis")
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")


def _curve(ax: Axes, dataset: xr.Dataset, name: str | xr.DataArray, **look: Any) -> None:
    """Draw a mean over seeds and its interval against 1 / density."""
    of = mean_over_seeds(dataset, name).sortby("p_active")
    x = 1 / of["p_active"].values
    low, high = (of[end].where(of["n"] >= ENOUGH) for end in ("low", "high"))
    draw_interval(ax, x, of["average"], low, high, **({"elinewidth": 0.8} | look))


def draw_vulnerability(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw vulnerability against 1 / density, by each attack, and that of the null."""
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    ax.axhline(PAPER_RATIO, color=PAPER_COLOR, lw=1.0, ls=":", zorder=0)
    for i, kind in reversed(list(enumerate(ATTACKS))):
        of = mean_over_seeds(dataset.isel(attack_kind=i), "vulnerability").sortby("p_active")
        ax.plot(1 / of["p_active"], of["average"], label=NAMES[kind], **LOOKS[kind])
    _curve(ax, dataset.isel(attack_kind=0), "vulnerability", **LOOKS["analytic"])
    _log(ax)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.45)  # room for the legend
    look: dict[str, Any] = NOTE | {"transform": ax.get_yaxis_transform(), "ha": "right"}
    ax.text(0.99, PAPER_RATIO * 1.04, f"the paper: > {PAPER_RATIO:g}×", color=PAPER_COLOR, **look)
    ax.text(0.99, 1.04, "no superposition", color=style.NOTE, **look)
    ax.set(xlabel=X_LABEL, ylabel="vulnerability  (L′ − L) / (L′₀ − L₀)")
    ax.set_title("adversarial vulnerability")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", fontsize=7.5)


def draw_features(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw features per dimension against 1 / density."""
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    _curve(ax, dataset, "features_per_dimension", color=style.INK, marker="o", ms=3.5)
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    _log(ax)
    ax.set(xlabel=X_LABEL, ylabel="features per dimension  1/D* = ‖W‖² / m")
    ax.set_title(f"superposition, {n} features in {m} dimensions")


def draw_scatter(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw vulnerability against features per dimension, one dot for each model."""
    x = dataset["features_per_dimension"].transpose("p_active", "seed").values
    y = dataset["vulnerability"].transpose("attack_kind", "p_active", "seed").values
    p = np.broadcast_to(dataset["p_active"].values[:, None], x.shape)
    ax.scatter(x, y[-1], color=style.NULL, s=10, marker="x", lw=0.8)
    norm = LogNorm(min(p.min(), 0.9 * p.max()), p.max())
    dots = ax.scatter(x, y[0], c=p, cmap=style.IMPORTANCE, norm=norm, s=22, zorder=3)
    bar = ax.figure.colorbar(dots, ax=ax, label="density 1 − S", pad=0.02, format="%g")
    bar.ax.minorticks_off()
    _log(ax)
    lines = [_statistic(dataset, name) for name in ("pearson", "spearman")]
    ax.text(0.04, 0.96, "\n".join(lines), transform=ax.transAxes, va="top", fontsize=9)
    ax.text(0.96, 0.04, "× null", transform=ax.transAxes, ha="right", color=style.NOTE, **NOTE)
    ax.set(xlabel="features per dimension  1/D*", ylabel="vulnerability")
    ax.set_title("one dot for each model")


def _statistic(dataset: xr.Dataset, name: str) -> str:
    value, low, high = (float(dataset[f"{name}{end}"][0]) for end in ("", "_low", "_high"))
    word = {"pearson": "Pearson r", "spearman": "Spearman ρ"}[name]
    if np.isnan(value):
        return f"{word}: too few densities"
    interval = f"  ({low:.3f}–{min(high, 1):.3f})" if np.isfinite(low) else ""
    return f"{word} = {value:.3f}{interval}"


def draw_found(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how much of the strongest attack's harm the analytic one does."""
    _curve(ax, dataset, "found", color=style.SERIES[5][0], marker="^", ms=4)
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    _log(ax, "x")
    ax.set(xlabel=X_LABEL, ylim=(0, 1.05), ylabel="harm of the analytic attack / strongest")
    ax.set_title("how near the analytic attack is to the worst")


def world(dataset: xr.Dataset, i: int) -> str:
    """Return what a world of the training is, in words."""
    n, m, p = (dataset[f"trained_{name}"].values[i] for name in WORLD)
    return f"{int(n)} → {int(m)}, density {p:g}"


def _trained(ax: Axes, dataset: xr.Dataset, values: xr.DataArray, **look: Any) -> None:
    """Draw a mean over seeds and its interval against the length of attacks."""
    data = xr.Dataset({"y": values, "diverged": dataset["trained_diverged"]}).drop_vars(
        "attack_kind", errors="ignore"
    )
    of = mean_over_seeds(data.isel(world=look.pop("of")), "y", "trained_seed")
    x = 100 * of["attack"].values
    low, high = (of[end].where(of["n"] >= ENOUGH) for end in ("low", "high"))
    draw_interval(ax, x, of["average"], low, high, **({"elinewidth": 0.8} | look))


def _mark_paper(ax: Axes, text: str = "") -> None:
    ax.axvline(100 * PAPER_ATTACK, color=PAPER_COLOR, lw=1.2, ls=":", zorder=0)
    if text:
        look: dict[str, Any] = NOTE | {"xycoords": ax.get_xaxis_transform()}
        look |= {"textcoords": "offset points", "color": PAPER_COLOR, "va": "bottom"}
        ax.annotate(text, (100 * PAPER_ATTACK, 0.02), (4, 0), **look)


def draw_training(ax: Axes, dataset: xr.Dataset, reached: float, rule: float) -> None:
    """Draw D* against the length of attacks in training, in each world, and where it is reached."""
    for i in range(dataset.sizes["world"]):
        look = style.series(i) | {"label": world(dataset, i), "lw": 1.8 if i == 0 else 1.1}
        _trained(ax, dataset, dataset["trained_dimensions"], of=i, **look | {"ms": 4})
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    _mark(ax, reached, rule, f"D* > {rule:g}", (-12, 8))
    _mark_paper(ax, f"the paper:\n{PAPER_ATTACK:.0%}")
    top = float(np.nanmax([1.0, *np.minimum(dataset["trained_dimensions"].values.ravel(), 2)]))
    ax.set(ylim=(0, 1.05 * top), xlabel="attack in training, % of an input's length")
    ax.set_ylabel("dimensions per feature  D*")
    ax.set_title("adversarial training removes superposition")
    ax.legend(loc="upper left", fontsize=7.5)


def _mark(ax: Axes, length: float, y: float, text: str, words: tuple[float, float]) -> None:
    """Mark where a rule is met in the first world, if it is; the words stand so many points off."""
    if not np.isfinite(length):
        return
    color = style.series(0)["color"]
    ax.plot(100 * length, y, "*", ms=13, color=color, mec="white", zorder=5)
    look: dict[str, Any] = NOTE | {"textcoords": "offset points", "color": color}
    look |= {"ha": "right" if words[0] < 0 else "left", "fontweight": "bold"}
    look["arrowprops"] = {"arrowstyle": "-", "color": color, "lw": 0.8}
    ax.annotate(f"{text}: {length:.0%}", (100 * length, y), words, **look)


def draw_held(ax: Axes, dataset: xr.Dataset, removed: float) -> None:
    """Draw represented features by dimension, and those with a direction for themselves."""
    for i in range(dataset.sizes["world"]):
        m = int(dataset["trained_n_hidden"].values[i])
        look = style.series(i) | {"ms": 4, "lw": 1.8 if i == 0 else 1.1}
        _trained(ax, dataset, dataset["trained_represented"] / m, of=i, **look)
        look |= {"ls": "--", "mfc": "none", "lw": 1.0}
        _trained(ax, dataset, dataset["trained_dedicated"] / m, of=i, **look)
    ax.axhline(1, color=style.GREY, lw=1.0, zorder=0)
    _mark(ax, removed, 1, "at most m", (10, 60))
    _mark_paper(ax)
    ax.set(xlabel="attack in training, % of an input's length", ylabel="features / m")
    ax.set_ylim(bottom=-0.1)
    ax.set_title("represented features (dashed: with a direction of their own)")
