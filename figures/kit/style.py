"""Sizes, fonts and colours; what a picture looks like depends on them and on its numbers alone.

Colours are safe for colour-blind readers: viridis for importance and magnitudes, a blue-red
diverging map around light grey for signed weights, and for phases grey, blue and vermilion.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure

CREAM = "#FCFBF8"
GREY = "#B8B8B8"
NULL = "#8A8A8A"  # what nothing, or chance, would give
PALE = "#EBEBEB"  # grids and shading
NOTE = "#666666"  # remarks inside a panel
BLUE = "#2166AC"
RED = "#C8402F"
LIGHT_BLUE = "#7FB2D9"
INK = "#333333"
HALO = "#FFFFFFB0"  # around text on a map
DROPPED = "#D9D9D9"  # a feature that is not represented

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#EEEEEC", RED])
IMPORTANCE = mpl.colormaps["viridis"]
# 0 = orthogonal to all others (dark), >= 1 = the others together are as strong (yellow).
SUPERPOSITION = ListedColormap(mpl.colormaps["cividis"](np.linspace(0, 1, 256)), "superposition")

# Okabe and Ito's colours and different marks, for curves that stand for numbers 1, 2, 3, ….
SERIES = (
    ("#0072B2", "o"),
    ("#E69F00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#56B4E9", "v"),
    ("#D55E00", "P"),
)

# Fills of areas that stand for numbers 1, 2, 3, …: of different lightness where they meet.
AREAS = ("#DEDBD3", "#A9D3EE", "#4C96CC", "#F3C652", "#8B68AE", "#E07B54")


def paper() -> Any:
    """Return what every figure sets differently from Matplotlib's defaults, a dictionary."""
    return {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.7,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "figure.dpi": 110,
        "savefig.dpi": 200,
        "figure.constrained_layout.use": True,
        "pdf.fonttype": 42,
        "image.interpolation": "nearest",
    }


@contextlib.contextmanager
def applied() -> Iterator[None]:
    """Draw inside with the settings of every figure, whatever a user's own matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()  # but the backend, and what else belongs to the screen
        mpl.rcParams.update(paper())
        yield


class Styled(Figure):
    """A figure that looks the same wherever and whenever it is drawn or saved.

    Ticks and their labels come into being when a figure is drawn, fonts and dots per inch are
    looked up when it is saved: after `applied` has ended.
    """

    def draw(self, renderer: Any) -> None:
        """Draw with the settings of every figure."""
        with applied():
            super().draw(renderer)

    def savefig(self, fname: Any, **how: Any) -> None:
        """Save with the settings of every figure; arguments are those of Matplotlib."""
        with applied():
            super().savefig(fname, **how)


def series(i: int) -> dict[str, Any]:
    """Return colour and mark of curve number i, the same for the same i in every panel."""
    color, marker = SERIES[i % len(SERIES)]
    return {"color": color, "marker": marker, "ms": 5}
