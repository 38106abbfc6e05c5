"""What the stacks say and draw, on weights that are written down."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import neuron_stacks as figure
from figures.toy_models import neuron_stacks_panels as paint
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

ALONE = [[0, 1.0, 0, 0.1], [1.0, 0, 0, 0]]
SHARED = [[0.9, 0.8, -0.7, 0], [0.9, -0.8, 0.7, 0.1]]


def trained(best=(ALONE, SHARED), losses=((1.0, 1.005, 2.0), (1.0, 2.0, 2.0)), diverged=None):
    """A sweep of two densities whose seed 0 has the weights given, and the others none."""
    W = np.zeros((2, len(losses[0]), 2, 4))
    W[:, 0] = best
    cells, lost = ("p_active", "seed"), np.zeros((2, W.shape[1]), int)
    if diverged is not None:
        lost[diverged] = 1
    return xr.Dataset(
        {
            "W": ((*cells, "hidden", "feature"), W),
            "superposition": ((*cells, "feature"), np.zeros((2, W.shape[1], 4))),
            "loss": (cells, np.array(losses)),
            "loss_ranking": (cells, np.array(losses)),
            "diverged": (cells, lost),
        },
        {"p_active": [1.0, 0.3], "seed": np.arange(W.shape[1])},
    )


def drawn_of(dataset):
    found = figure.analyse(dataset)
    return found, figure.draw(found.assign_attrs(caption="", claim=""))


def test_claim_and_labels_count_neurons_and_groups():
    found = figure.analyse(trained())
    assert figure.claim(found) == (
        "2–0 of two neurons read one feature alone from density 1 to 0.3, and 2–3 of four features "
        "are read"
    )
    assert [figure.groups(found.isel(p_active=i)) for i in (0, 1)] == ["2 alone", "3 in 2"]
    np.testing.assert_array_equal(found["order"], [[1, 0], [0, 1]])
    np.testing.assert_array_equal(found["share_of_seeds"], [0.5, 0.0])
    assert figure._said(found.isel(p_active=0)).startswith("2 alone\nloss 0.25\n50% of seeds\n(9%–")
    caption = " ".join(figure.caption(found))
    assert "best of 3 seeds" in caption and "(the paper: of 1,000" in caption


@pytest.mark.parametrize("n", [1, 2])
def test_few_seeds_have_no_percentage(n):
    found = figure.analyse(trained(losses=((1.0, 2.0)[:n], (1.0, 1.001)[:n])))
    said = [figure._said(found.isel(p_active=i)).split("\n", 2)[2:] for i in (0, 1)]
    assert said == (
        [[], []]
        if n == 1
        else [["not as good with\nthe other seed"], ["as good with\nthe other seed"]]
    )
    assert "Wilson" not in " ".join(figure.caption(found))


def test_a_density_without_a_run_is_told_and_left_empty():
    found, drawn = drawn_of(trained(diverged=(1, slice(None))))
    assert "2–(diverged) of two neurons" in figure.claim(found)
    assert "all runs diverged" in [ax.get_xlabel() for ax in drawn.axes]
    found, _ = drawn_of(trained(diverged=slice(None)))
    assert figure.claim(found) == "Every run at every density diverged"


def test_rectangles_are_as_high_as_weights_and_neurons_shaded_by_rule():
    found, drawn = drawn_of(trained())
    for i, W in ((0, np.array(ALONE)[[1, 0]]), (1, np.array(SHARED))):
        (ax,) = (ax for ax in drawn.axes if ax.get_xlabel() == figure._said(found.isel(p_active=i)))
        heights = np.array([[bar.get_height() for bar in bars] for bars in ax.containers])
        np.testing.assert_allclose(heights, W.T)
        tops = np.array(
            [[bar.get_y() + bar.get_height() for bar in bars] for bars in ax.containers]
        )
        np.testing.assert_allclose(tops.max(0), np.maximum(W, 0).sum(1))
        np.testing.assert_allclose(np.minimum(tops.min(0), 0), np.minimum(W, 0).sum(1))
        shades = [p.get_facecolor() for p in ax.patches if p.get_width() == 1]
        assert shades == [mpl.colors.to_rgba(paint.SHADES[i + 1])] * 2
    assert paint.example(found) == (1, 0)  # both signs
    texts = {text.get_text() for text in drawn.findobj(mpl.text.Text)}
    assert {"+0.90", "-0.70", "w₃ = -0.70", "neuron 1 at 1 − S = 0.3"} <= texts


def test_more_densities_than_panels_are_refused():
    given = f"grid.p_active={np.linspace(0.1, 1, paint.MOST + 1).round(3).tolist()}"
    with pytest.raises(InputError, match="has 13 densities: neuron-stacks has room for 12"):
        planned(entry_of("neuron-stacks"), "", (given,))
    assert figures.neuron_stacks.entry.requires == {"model": "hidden_relu"}
