"""A small matrix with its numbers in it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from figures.kit import style

SIDE = 0.9  # of a cell, in a place of 1
DARK = 0.6  # from this value on a cell is dark, and its number white


def draw_cells(
    ax: Axes, values: ArrayLike, corner: tuple[float, float], digits: int = 2, size: float = 8.5
) -> None:
    """Draw `values [rows, columns]` as cells of side 1, on the scale -1 … 1, with their numbers.

    `corner` is the middle of the upper left cell; rows go down.
    """
    for (i, j), value in np.ndenumerate(np.asarray(values, float)):
        x, y = corner[0] + j, corner[1] - i
        color = style.SIGNED(0.5 + 0.5 * np.clip(np.nan_to_num(value), -1, 1))
        place = (x - SIDE / 2, y - SIDE / 2)
        ax.add_patch(Rectangle(place, SIDE, SIDE, fc=color, ec="white", lw=1))
        ink = "white" if abs(value) > DARK else style.INK
        ax.text(x, y, signed(value, digits), fontsize=size, color=ink, ha="center", va="center")


def signed(value: float, digits: int = 2) -> str:
    """Write a number with a real minus, and zero without one."""
    text = f"{value:.{digits}f}"
    return (text[1:] if float(text) == 0 else text).replace("-", "−") if text[0] == "-" else text
