"""What a picture looks like depends on its numbers and our style, not on a user's matplotlibrc."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import figures
from figures.kit import style
from figures.kit.draw import draw_gram
from figures.kit.panels import panels

mpl.use("Agg")

HOSTILE = {
    **{"image.origin": "lower", "image.cmap": "hot", "text.usetex": True, "axes.grid": True},
    **{"axes.prop_cycle": mpl.cycler(color=["red"]), "axes.xmargin": 0.4, "axes.facecolor": "k"},
    **{"figure.autolayout": True, "figure.dpi": 30, "savefig.dpi": 33, "savefig.bbox": "tight"},
    **{"savefig.transparent": True, "font.size": 20, "font.family": "serif", "lines.linewidth": 9},
    **{"xtick.direction": "in", "xtick.major.size": 20, "axes.formatter.limits": (-1, 1)},
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def saved(draw, path, **rc):
    """Return the bytes of a picture that a user with these settings draws and saves."""
    with mpl.rc_context(rc):
        before = dict(mpl.rcParams)
        draw().savefig(path)
        assert dict(mpl.rcParams) == before
    return path.read_bytes()


def gram():
    """Draw two matrices with ticks, which come into being when the figure is drawn."""
    with style.applied():
        figure, panel = panels(None, "AB", figsize=(3, 2))
        draw_gram(panel["A"], np.array([[1.0, 0.5, 0.0]]), np.array([0.1, 0.2, 0.3]))
        panel["B"].imshow(np.eye(3)[:, :2])
        return figure


def step_function():
    return figures.step_function.draw(figures.step_function.compute())


@pytest.mark.parametrize("draw", [gram, step_function])
def test_a_users_settings_change_no_picture_and_are_not_changed(draw, tmp_path):
    plain, hostile = (saved(draw, tmp_path / "a.png", **rc) for rc in ({}, HOSTILE))
    assert plain == hostile


def test_a_figure_in_the_users_own_axes_leaves_their_settings_alone():
    with mpl.rc_context(HOSTILE | {"text.usetex": False}):
        figure, ax = plt.subplots()
        before = dict(mpl.rcParams)
        drawn = figures.step_function.draw(figures.step_function.compute(), ax)
        assert drawn is figure
        assert dict(mpl.rcParams) == before
        assert figure.dpi == 30
