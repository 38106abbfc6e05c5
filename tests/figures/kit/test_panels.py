"""Axes by name: new ones, the caller's own, and how others are refused."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.kit.panels import draw_interval, panels
from toymodels.errors import InputError

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_new_figure_has_the_panels_of_its_mosaic():
    figure, panel = panels(None, [["a", "b"], ["c", "c"]], figsize=(3, 2))
    assert list(panel) == ["a", "b", "c"]
    assert {ax.figure for ax in panel.values()} == {figure}


@pytest.mark.parametrize("how", ["array", "list", "names"])
def test_the_callers_axes_are_taken_in_order_or_by_name(how):
    figure, axes = plt.subplots(1, 3)
    given = {"array": axes, "list": list(axes), "names": dict(zip("BAC", axes, strict=True))}[how]
    same, panel = panels(given, "ABC")
    assert same is figure
    first = axes[1] if how == "names" else axes[0]
    assert panel["A"] is first


def test_a_single_axes_serves_a_single_panel():
    _, ax = plt.subplots()
    assert panels(ax, "A")[1]["A"] is ax


def test_other_axes_are_refused_with_the_names_of_the_panels():
    _, axes = plt.subplots(1, 2)
    with pytest.raises(InputError, match=r"axes has 2 panels, .* draws 3: 'A', 'B', 'C'"):
        panels(axes, "ABC")
    with pytest.raises(InputError, match="axes lacks the panels 'B'; it needs 'A', 'B'"):
        panels({"A": axes[0]}, "AB")


def test_what_is_no_axes_or_serves_two_panels_or_stands_apart_is_refused():
    (figure, axes), (_, other) = plt.subplots(1, 2), plt.subplots()
    for given, told in (
        ([axes[0], axes[0]], "the same axes twice"),
        ([axes[0], other], "several figures"),
        ([axes[0], 3], r"axes\['B'\] = 3: give axes of Matplotlib"),
        ([figure, axes[0]], r"axes\['A'\] = <Figure.*: give axes of Matplotlib"),
    ):
        with pytest.raises(InputError, match=told):
            panels(given, "AB")


def test_an_interval_that_is_not_there_is_no_bar():
    _, ax = plt.subplots()
    bars = draw_interval(ax, [1, 2], [1.0, 2.0], [0.5, np.nan], [1.5, np.nan])
    (segments,) = bars[2]
    lengths = [np.ptp(s[:, 1]) for s in segments.get_segments()]
    np.testing.assert_allclose(lengths, [1.0, 0.0])
