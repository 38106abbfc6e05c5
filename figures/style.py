"""Sizes, fonts and colours, as dictionaries and constants for `matplotlib.rc_context`.

Colours are safe for colour-blind readers: viridis for importance and magnitudes, a blue-red
diverging map around light grey for signed weights, and for phases grey, blue and vermilion.
"""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap

CREAM = "#FCFBF8"
GREY = "#B8B8B8"
BLUE = "#2166AC"
RED = "#C8402F"
LIGHT_BLUE = "#7FB2D9"
INK = "#333333"

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#EEEEEC", RED])
IMPORTANCE = mpl.colormaps["viridis"]
# 0 = orthogonal to all others (dark), >= 1 = the others together are as strong (yellow).
SUPERPOSITION = ListedColormap(mpl.colormaps["cividis"](np.linspace(0, 1, 256)), "superposition")


def paper() -> Any:
    """Return the settings of every figure, a dictionary."""
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
