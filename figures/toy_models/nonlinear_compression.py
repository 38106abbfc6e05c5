"""F40: two numbers in one, by a staircase whose steps are ramps.

Elhage et al. 2022, appendix. t = (s(Z x) + y) / Z holds x and y in one number, with an error of
1/(12 Z²) if s is the integer part. A network has no steps: the figure says how the error grows
with the width of the ramps that stand for them, for two decoders, beside the best linear map.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.settings import require_at_least
from figures.kit.words import listed, rounded
from toymodels import theory
from toymodels.errors import InputError

# What the analysis' own variables are.
WORDS = {
    "error_natural": "expected squared error of x and y, natural decoder",
    "error_best": "expected squared error of x and y, best decoder",
    "error_linear": "least expected squared error of a linear map to one number and back",
    "break_even": "ramp at which the natural decoder is as good as a linear map",
    "example_error": "errors of the example: natural, best, and natural with the ramp in x",
}
DECODERS = {"natural": "-", "best": (0, (3, 1.5))}
PICTURED = 9  # values of y in the picture of the map


def check(plan: Any) -> None:
    """Refuse settings that are not possible.

    Raises:
        InputError: a number out of range.
    """
    of = plan.settings
    require_at_least("points", of["points"], 2)
    for name in ("stairs", "example_stairs"):
        if not all(2 <= Z <= 100 for Z in np.ravel(of[name])):
            raise InputError(f"{name} = {of[name]}: give whole numbers from 2 to 100.")
    if not 0 < of["narrowest"] < 1:
        raise InputError(f"narrowest = {of['narrowest']}: give a share of a stair, above 0.")
    if not 0 <= of["example_ramp"] <= 1:
        raise InputError(f"example_ramp = {of['example_ramp']}: give a share of a stair.")


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Compute errors over (stairs, ramp), all exact: closed forms and quadrature."""
    stairs, Z = dataset["stairs"].values, int(dataset["example_stairs"])
    ramp = np.geomspace(float(dataset["narrowest"]), 1, int(dataset["points"]))
    e = float(dataset["example_ramp"])
    both, of_example = (stairs[:, None], ramp), (Z, min(Z * e, 1.0))
    example = [theory.error_natural_decoder(Z, e), theory.error_best_decoder(Z, e)]
    arrays = {
        "error_natural": (("stairs", "ramp"), theory.error_natural_decoder(*both)),
        "error_best": (("stairs", "ramp"), theory.error_best_decoder(*both)),
        "error_linear": ((), theory.error_linear_compression()),
        "break_even": ("stairs", theory.break_even_ramp(stairs)),
        "example_error": ("reading", [*example, theory.error_natural_decoder(*of_example)]),
    }
    names = ["natural", "best", "ramp in x"]
    return xr.Dataset(arrays, {"stairs": stairs, "ramp": ramp, "reading": names})


def claim(dataset: xr.Dataset) -> str:
    """Compare the example with the best linear map."""
    Z, e = int(dataset["example_stairs"]), float(dataset["example_ramp"])
    natural, best, _ = dataset["example_error"].values
    linear = float(dataset["error_linear"])
    text = f"With {Z} stairs and ramps of {e:g} of a stair the error is {rounded(natural, 3)}"
    text += f" ({rounded(best, 3)} with the best decoder)"
    if natural < linear:
        return f"{text}, {linear / natural:.1f} times less than any linear map's {rounded(linear)}"
    return f"{text}, not below a linear map's {rounded(linear)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is drawn, and what the paper leaves open."""
    e, wide = float(dataset["example_ramp"]), float(dataset["example_error"][2])
    ends = zip(dataset["stairs"].values, dataset["break_even"].values, strict=True)
    ends = listed(f"{ramp:.2f} for Z = {Z}" for Z, ramp in ends)
    return [
        "t = (s(Zx) + y)/Z, x and y uniform on [0, 1], s the integer part with each step a ramp",
        "natural decoder: x ≈ (⌊Zt⌋ + ½)/Z, y ≈ Zt − ⌊Zt⌋; best decoder: E[x|t], E[y|t]; all exact",
        "the paper does not state whether a ramp's width is in units of a stair, as here, or of x: "
        f"{e:g} of x gives {rounded(wide)}",
        f"the natural decoder is as good as a linear map at ramps of {ends}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the map of the example, and errors over the width of the ramps."""
    figure, panel = panels(axes, [["map", "errors"]], figsize=(9.6, 4.3), width_ratios=[1, 1.75])
    _draw_map(panel["map"], int(dataset["example_stairs"]), float(dataset["example_ramp"]))
    _draw_errors(panel["errors"], dataset)
    return figure


def _draw_map(ax: Axes, Z: int, ramp: float) -> None:
    """Draw t over x for some y, from 0 (dark) to 1."""
    steps = np.arange(1, Z)
    u = np.unique([0, Z, *(steps - ramp / 2), *(steps + ramp / 2)])
    stairs = np.interp(u, u, np.searchsorted(steps + ramp / 2, u, side="right"))
    for y in np.linspace(0, 1, PICTURED):
        ax.plot(u / Z, (stairs + y) / Z, color=style.IMPORTANCE(0.05 + 0.85 * y), lw=1.5)
    ax.plot([0, 1], [0, 1], color=style.NULL, lw=1, ls=":")
    ax.set(xlabel="x", ylabel="t", xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1])
    ax.set_title(f"one number t for two: Z = {Z}, ramps {ramp:g}\n(lines: y from 0, dark, to 1)")


def _draw_errors(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw errors over the width of the ramps, with the linear map's and the ideal ones."""
    ramp, linear = dataset["ramp"].values, float(dataset["error_linear"])
    for i, Z in enumerate(dataset["stairs"].values):
        color = style.series(i)["color"]
        for name, dashes in DECODERS.items():
            error = dataset[f"error_{name}"].sel(stairs=Z).values
            ax.plot(ramp, error, color=color, ls=dashes, lw=1.9 if name == "natural" else 1.3)
        ideal = float(theory.error_natural_decoder(Z, 0.0))
        ax.plot(ramp[0], ideal, "<", color=color, ms=6, clip_on=False, zorder=4)
        ax.annotate(f"Z = {Z}", (ramp[0], ideal), (9, -11), textcoords="offset points", color=color)
    ax.axhline(linear, color=style.NULL, lw=1.4)
    ax.text(ramp[0], linear * 1.05, f" best linear map, {rounded(linear)}", color=style.NOTE)
    e, natural = float(dataset["example_ramp"]), float(dataset["example_error"][0])
    if e > 0:
        ax.plot(e, natural, "o", color=style.INK, ms=6, zorder=5)
        said = f"ramp {e:g}, Z = {int(dataset['example_stairs'])}:\n{rounded(natural, 3)}"
        how: dict[str, Any] = {
            "textcoords": "offset points",
            "ha": "left",
            "va": "top",
            "fontweight": "bold",
        }
        ax.annotate(said, (e, natural), (9, -3), fontsize=8.5, **how)
    ax.set(xscale="log", yscale="log", xlabel="width of a ramp, as a share of a stair")
    ax.set_ylim(bottom=0.5 / (12 * dataset["stairs"].values.max() ** 2))
    ax.set(ylabel="expected squared error of x and y", title="error, by how steep the steps are")
    looks = {f"{name} decoder": {"color": style.INK, "ls": d} for name, d in DECODERS.items()}
    legend_of(ax, looks | {"ideal: no ramps": {"color": style.INK, "marker": "<", "ls": ""}})
