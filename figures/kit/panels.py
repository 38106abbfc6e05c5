"""Axes by name: a new figure of them, or those that the caller has."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from figures.kit.style import Styled
from toymodels.errors import InputError, listed

# What a figure may be drawn into: axes by panel name, or in the panels' order, or a single one.
Given = Mapping[str, Axes] | Sequence[Axes] | Axes | None


def panels(axes: Given, mosaic: Any, **how: Any) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure's panels by name.

    Args:
        axes: the caller's own, or None for a new figure.
        mosaic: names of panels as `matplotlib.pyplot.subplot_mosaic` takes them: a text such as
            "AB", or lists of rows, which may hold mosaics; "." is an empty place.
        how: for a new figure, as `subplot_mosaic`: figsize, width_ratios, sharey, ….

    Raises:
        InputError: the caller's axes are not as many, or not of these names.
    """
    if axes is None:
        figure, made = plt.subplot_mosaic(mosaic, FigureClass=Styled, **how)
        return figure, made
    names = names_of(mosaic)
    if isinstance(axes, Axes):
        axes = [axes]
    if not isinstance(axes, Mapping):
        given = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(given) != len(names):
            raise InputError(
                f"axes has {len(given)} {'panel' if len(given) == 1 else 'panels'}, but the figure "
                f"draws {len(names)}: {_quoted(names)}, in this order or by name."
            )
        axes = dict(zip(names, given, strict=True))
    missing = [name for name in names if name not in axes]
    if missing:
        raise InputError(f"axes lacks the panels {_quoted(missing)}; it needs {_quoted(names)}.")
    chosen = {name: axes[name] for name in names}
    return _figure_of(chosen), chosen


def _figure_of(axes: dict[str, Axes]) -> Figure:
    """Return the figure of the caller's axes, one for each panel."""
    for name, ax in axes.items():
        if not isinstance(ax, Axes):
            raise InputError(f"axes[{name!r}] = {ax!r:.60}: give axes of Matplotlib.")
    if len(set(axes.values())) < len(axes):
        raise InputError("axes holds the same axes twice: every panel needs its own.")
    figures = {ax.figure for ax in axes.values()}
    if len(figures) > 1:
        raise InputError("axes come from several figures: give axes of a single one.")
    return figures.pop()  # pyright: ignore[reportReturnType]


def _quoted(names: Sequence[str]) -> str:
    """Join names, which may hold commas themselves."""
    return listed(map(repr, names))


def names_of(mosaic: Any) -> list[str]:
    """Return the names of a mosaic's panels, row by row, one inside it where it stands."""
    rows = mosaic.strip().splitlines() if isinstance(mosaic, str) else mosaic
    found = []
    for name in (name for row in rows for name in row):
        found += [name] if isinstance(name, str) else names_of(name)
    return list(dict.fromkeys(name for name in found if name != "."))


def draw_interval(
    ax: Axes, x: ArrayLike, mean: ArrayLike, low: ArrayLike, high: ArrayLike, **look: Any
) -> Any:
    """Draw a mean and its interval, which may be NaN where there is none."""
    mean = np.asarray(mean)
    half = np.nan_to_num(np.stack([mean - np.asarray(low), np.asarray(high) - mean]))
    how: dict[str, Any] = {"capsize": 2.5, "lw": 1.4} | look
    return ax.errorbar(x, mean, np.maximum(half, 0), **how)


def legend_of(ax: Axes, looks: Mapping[str, dict[str, Any]], **where: Any) -> Any:
    """Draw a legend of labels and how the lines that they stand for look."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    return ax.legend(handles=handles, **where)
