"""Figures that move are written as GIF; others refuse before anything runs."""

import matplotlib.pyplot as plt
import pytest
import xarray as xr
from matplotlib.animation import FuncAnimation, writers

from figures.command import animating
from figures.kit.entry import entry_of
from toymodels.errors import InputError


class Moving:
    """A figure of one point that moves."""

    name = "learning-dynamics"

    def module(self):
        return self

    def animate(self, dataset):
        figure, ax = plt.subplots(figsize=(1, 1))
        (dot,) = ax.plot(0, 0, "o")
        return FuncAnimation(figure, lambda k: dot.set_data([k / 100], [0]), 3)


def test_a_gif_is_written_whole_and_the_same_twice(tmp_path):
    paths = [tmp_path / "one.gif", tmp_path / "two.gif"]
    for path in paths:
        animating.animate_into(Moving(), xr.Dataset(), path)
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    assert one.startswith(b"GIF89a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.gif", "two.gif"]


def test_what_does_not_move_is_refused_with_its_name(monkeypatch):
    moving, still = entry_of("learning-dynamics"), entry_of("intro")
    animating.require_animations([still], ["png", "pdf"])
    animating.require_animations([moving], ["gif"])
    with pytest.raises(InputError, match="format = 'gif': intro has no animation"):
        animating.require_animations([moving, still], ["png", "gif"])
    monkeypatch.setattr(writers, "is_available", lambda name: False)
    with pytest.raises(InputError, match=r"mp4' needs ffmpeg, .* give gif"):
        animating.require_animations([moving], ["mp4"])
