"""Figures that move: a module with `animate(dataset)` makes a GIF, or an MP4 with ffmpeg."""

import tempfile
from pathlib import Path
from typing import Any

from figures.kit.entry import Entry
from sweeps.store import writing
from toymodels.errors import InputError

MOVING = ("gif", "mp4")
DPI, FRAMES_PER_SECOND = 80, 10


def require_animations(entries: list[Entry], formats: list[str]) -> None:
    """Refuse formats that move where a figure does not, and MP4 without an encoder.

    Raises:
        InputError: either.
    """
    moving = [ending for ending in formats if ending in MOVING]
    still = [entry.name for entry in entries if not hasattr(entry.module(), "animate")]
    if moving and still:
        raise InputError(
            f"format = {moving[0]!r}: {still[0]} has no animation, as learning-dynamics has: give "
            "png, pdf or svg."
        )
    if "mp4" in moving:
        from matplotlib.animation import writers

        if not writers.is_available("ffmpeg"):
            raise InputError("format = 'mp4' needs ffmpeg, which is not installed: give gif.")


def animate_into(entry: Entry, dataset: Any, path: Path) -> None:
    """Animate a dataset into a file."""
    import matplotlib.pyplot as plt

    from figures.kit import style
    from figures.kit.belonging import drawing

    with drawing(entry, dataset), style.applied(), tempfile.TemporaryDirectory() as folder:
        made = entry.module().animate(dataset)
        figure = plt.gcf()  # the one that it is of
        figure.canvas.draw()
        figure.set_layout_engine("none")  # nothing moves from frame to frame, and once is enough
        beside = Path(folder) / path.name  # encoders go by the ending
        writer = "pillow" if path.suffix == ".gif" else "ffmpeg"
        made.save(beside, writer=writer, fps=FRAMES_PER_SECOND, dpi=DPI)
        plt.close(figure)
        with writing(path) as whole:
            whole.write_bytes(beside.read_bytes())
