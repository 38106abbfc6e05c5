"""What the figure of absolute values by sparsity counts, says and draws."""

import numpy as np
import pytest
import xarray as xr

import figures
from figures.toy_models import absolute_value_sparsity as module
from toymodels.errors import InputError

MONO = np.array([[0.0, -2.0, 0.1], [3.0, 0.0, 0.1], [0.0, 0.0, 5.0], [0.0, 4.0, 0.0]])
MIXED = np.array([[1.0, 1.0, 0.0], [1.0, 0.9, 0.9], [0.0, 1.0, 0.1], [0.0, 0.0, 1.0]])


def models(diverged=0):
    """A model of separate neurons at density 1, and one of shared neurons at 0.1; two seeds."""
    cells, importance = ("density", "seed"), np.array([1.0, 0.5, 0.25])
    p = np.array([1.0, 0.1])
    dropped = importance * (p / 3 - p**2 / 4)[:, None]
    share = np.array([[0.2, 0.6, 1.0], [0.1, 0.2, 0.24]])  # of a dropped feature's loss
    lost = np.full((2, 2), diverged)
    arrays = {
        "W": ((*cells, "hidden", "feature"), np.stack([MONO, MIXED])[:, None].repeat(2, 1)),
        "loss_per_feature": ((*cells, "feature"), (share * dropped)[:, None].repeat(2, 1)),
        "superposition": ((*cells, "feature"), np.full((2, 2, 3), 0.5)),
        "loss": (cells, (share * dropped).sum(1)[:, None].repeat(2, 1)),
        "loss_ranking": (cells, np.where(lost, np.nan, [[1.0, 2.0], [2.0, 1.0]])),
        "diverged": (cells, lost),
        "still_falling": (cells, np.array([[0, 1], [0, 0]])),
        "importance_of_feature": ((*cells, "feature"), np.zeros((2, 2, 3)) + importance),
    }
    coords = {"seed": [0, 1], "p_active": ("density", p), "learning_rate": ("density", [0.1, 0.2])}
    return xr.Dataset(arrays, coords | {"close_ups": [1.0, 0.1], "neurons": 2})


def test_neurons_and_features_are_counted_by_the_rule():
    found = module.analyse(models())
    np.testing.assert_allclose(found["monosemantic"], [1, 0.5])
    np.testing.assert_allclose(found["computed"], [1, 3])
    np.testing.assert_array_equal(found["largest_feature"], [[1, 0, 2, 1], [0, 0, 1, 2]])
    assert float(found["rank_correlation"][1]) < 0  # the unimportant are less mixed here
    assert module.claim(found) == (
        "Of four neurons 100% are monosemantic at density 1 and 50% at 0.1; 3 of 3 features are "
        "computed at density 0.1, more than the 2 that pairs of neurons allow"
    )
    assert module.caption(found)[-1].startswith("1 of 4 runs still improve")


def test_stacks_are_drawn_from_the_most_important_feature_with_a_largest_weight_of_1():
    drawn = module.draw(module.analyse(models()))
    dense = drawn.axes[0].collections[-1].get_paths()
    heights = [path.get_extents().height for path in dense]
    assert max(heights) == pytest.approx(1)
    assert drawn.axes[0].get_title("right") == "100% monosemantic, loss 3"
    numbers = [text.get_text() for text in drawn.axes[2].texts]
    assert numbers[:2] == ["1", "2"]


def test_all_diverged_is_said_and_drawn():
    found = module.analyse(models(diverged=1))
    assert module.claim(found) == "Every run diverged"
    module.draw(found)


def test_two_close_ups_are_needed():
    with pytest.raises(InputError, match="give two densities"):
        figures.absolute_value_sparsity.compute(close_ups=[0.1])
