"""The panels of the octahedron's dynamics: the loss in its regimes, and W in three dimensions."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.panels import panels

SETS = (style.SERIES[0], (style.SERIES[5][0], "s"))  # colour and mark of each set
LIMIT = 1.25
FRAMES, SECONDS = 70, 7

# From which side the three dimensions are seen.
TURN, TILT = np.radians(35), np.radians(22)


def project(W: NDArray) -> NDArray:
    """Return where the columns of `W [3, F]` are seen, `[2, F]`."""
    across = np.array([-np.sin(TURN), np.cos(TURN), 0])
    up = np.array([-np.cos(TURN) * np.sin(TILT), -np.sin(TURN) * np.sin(TILT), np.cos(TILT)])
    return np.stack([across, up]) @ W


def draw_columns_3d(ax: Axes, W: NDArray) -> list[Any]:
    """Draw the columns of `W [3, F]` from the origin, coloured by set, over faint axes."""
    for axis in np.eye(3):
        ends = project(np.stack([-LIMIT * axis, LIMIT * axis], axis=1))
        ax.plot(*ends, color=style.GREY, lw=0.6, ls=(0, (4, 4)), zorder=0)
    at, half, drawn = project(W), W.shape[1] // 2, []
    for k in range(W.shape[1]):
        color, mark = SETS[k // half % 2]
        drawn += ax.plot([0, at[0, k]], [0, at[1, k]], color=color, lw=2, zorder=2)
        drawn += ax.plot(at[0, k], at[1, k], mark, color=color, ms=7, mec="white", zorder=3)
    ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
    return drawn


def draw_regimes(ax: Axes, dataset: xr.Dataset, times: list[float]) -> None:
    """Draw log loss over log steps with its plateaus shaded, and mark where W is drawn."""
    t, loss = dataset["step"].values, dataset["shown_loss"].values
    bounds = zip(dataset["plateau_first"].values, dataset["plateau_last"].values, strict=True)
    for first, last in bounds:
        ax.axvspan(first, last, color=style.AREAS[1], alpha=0.5, lw=0, zorder=0)
    ax.plot(t, loss, color=style.INK, lw=1.6)
    ax.set(xscale="log", yscale="log", xlabel="training step", ylabel="loss")
    for k, time in enumerate(times):
        near = loss[int(np.argmin(np.abs(t - time)))]
        if np.isfinite(near):
            ax.plot(time, near, "o", color=style.RED, ms=5, zorder=4)
            ax.annotate("ABCDE"[k], (time, near), (0, 7), ha="center", **_note())
    for (color, mark), name in zip(SETS, ("one set", "the other set"), strict=True):
        ax.plot([], [], mark, color=color, label=name)
    ax.plot([], [], lw=8, color=style.AREAS[1], alpha=0.5, label="plateau")
    ax.legend(loc="upper right")


def _note() -> dict[str, Any]:
    return {"textcoords": "offset points", "fontsize": 9, "fontweight": "bold"}


def animate_run(dataset: xr.Dataset, W: NDArray, times: list[float]) -> Any:
    """Animate the columns of W `[T, 3, F]` beside the loss, in logarithmic time."""
    from matplotlib.animation import FuncAnimation

    figure, panel = panels(None, [["W", "loss"]], figsize=(8.4, 3.6), width_ratios=[1, 1.5])
    draw_regimes(panel["loss"], dataset, times)
    t = dataset["snapshot"].values
    panel["W"].set_title("step")  # its place is laid out before it moves
    along = np.geomspace(max(float(t[1]), 1), float(t[-1]), FRAMES)
    frames = np.unique([int(np.argmin(np.abs(t - at))) for at in along])
    cursor = panel["loss"].axvline(float(t[frames[0]]), color=style.RED, lw=1)

    def show(k: int) -> list[Any]:
        panel["W"].clear()
        drawn = draw_columns_3d(panel["W"], W[k])
        panel["W"].set_axis_off()
        panel["W"].set_title(f"step {int(t[k]):,}")
        cursor.set_xdata([t[k], t[k]])
        return [*drawn, cursor]

    each = 1000 * SECONDS / FRAMES
    return FuncAnimation(figure, show, frames.tolist(), interval=each, repeat_delay=1500)
