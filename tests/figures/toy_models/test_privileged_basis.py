"""What the privileged basis says and draws, on participation ratios that are written down."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import privileged_basis as figure
from figures.toy_models.privileged_basis_panels import MODELS
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


def trained(models=("relu", "hidden_relu", "hidden_relu_biased"), n_seeds=3, lost=()):
    """Linear layers are as their rotations, layers with ReLUs read 1 and 1.5 features."""
    cells, n = ("model", "p_active", "seed"), len(models)
    rotated = np.broadcast_to(np.linspace(2, 3, 21)[:, None], (n, 2, n_seeds, 21, 2))
    reads = {"relu": [2.6, 2.4], "hidden_relu": [1.5, 1.0], "hidden_relu_biased": [2.6, 2.4]}
    ratio = np.array([reads[name] for name in models])[:, :, None, None]
    diverged = np.zeros((n, 2, n_seeds), int)
    for at in lost:
        diverged[at] = 1
    data = {
        "W": ((*cells, "hidden", "feature"), np.ones((n, 2, n_seeds, 2, 3))),
        "participation_ratio": ((*cells, "hidden"), ratio * np.ones((n, 2, n_seeds, 2))),
        "participation_ratio_rotated": ((*cells, "rotation", "hidden"), rotated),
        "all_on": (cells, np.full((n, 2, n_seeds), 0.9)),
        "loss_ranking": (cells, np.arange(2.0 * n * n_seeds).reshape(n, 2, n_seeds)),
        "diverged": (cells, diverged),
    }
    found = xr.Dataset(data, {"model": list(models), "p_active": [1.0, 0.5]})
    found = found.assign_coords(seed=np.arange(n_seeds), optimizer="adam")
    floats = {k: found[k].where(found["diverged"] == 0) for k in found if found[k].dtype == float}
    return found.assign(floats)


def test_claim_compares_each_model_with_its_rotations_where_relus_align_most():
    found = figure.analyse(trained())
    assert figure.claim(found) == (
        "At density 0.5, the one shown, a neuron reads 2.40 features in a linear hidden layer "
        "(2.50 when rotated), 1.00 with ReLUs (2.50 when rotated) and 2.40 with ReLUs and biases "
        "(2.50 when rotated), where all neurons are above 0 on 90% of the data"
    )
    said = " ".join(figure.caption(found))
    assert "in a linear hidden layer, 3 of 3 models in the middle 95% of their own" in said
    np.testing.assert_array_equal(found["like_rotated"].values[1], False)


def test_where_adam_makes_linear_layers_read_more_than_chance_is_told():
    found = figure.analyse(trained()).assign_coords(optimizer="adam")
    found["mean_ratio_low"] += 0.2
    assert "above chance at 1 and 0.5: Adam" in " ".join(figure.caption(found))
    found = found.assign_coords(optimizer="sgd")
    assert "above chance" not in " ".join(figure.caption(found))


def test_one_seed_has_no_interval_and_one_map():
    found = figure.analyse(trained(n_seeds=1))
    assert np.isnan(found["mean_ratio_low"]).all()
    assert "interval" not in " ".join(figure.caption(found))
    drawn = figure.draw(found.assign_attrs(claim="", caption=""))
    assert sum("no seed" in ax.get_title() for ax in drawn.axes) == 3


def test_models_that_diverged_are_told():
    found = figure.analyse(trained(lost=[(1, slice(None))]))
    assert float(found["shown"]) == 1.0  # the densest, as no ReLU tells which
    assert "– (diverged) with ReLUs and" in figure.claim(found)
    drawn = figure.draw(found.assign_attrs(claim="", caption=""))
    assert sum("all runs diverged" in ax.get_title() for ax in drawn.axes) == 1
    found = figure.analyse(trained(models=("relu",), lost=[slice(None)]))
    assert figure.claim(found).endswith("– (diverged) in a linear hidden layer")
    figure.draw(found.assign_attrs(claim="", caption=""))


def test_every_neuron_is_a_dot_over_the_rotations():
    found = figure.analyse(trained())
    drawn = figure.draw(found.assign_attrs(claim="", caption=""))
    (ax,) = (ax for ax in drawn.axes if ax.get_xlabel() == "features that a neuron reads")
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [sorted(set(line.get_xdata())) for line in dots] == [[2.4], [1.0], [2.4]]
    assert [line.get_xdata().size for line in dots] == [6, 6, 6]  # seeds times neurons
    (ax,) = (ax for ax in drawn.axes if "linear regime" in ax.get_title())
    assert len(ax.containers) == 2  # a linear layer has no ReLU to be on


def test_a_model_without_words_is_refused():
    with pytest.raises(InputError, match="model = 'untied': privileged-basis compares linear, rel"):
        planned(entry_of("privileged-basis"), "", ('grid.model=["untied"]',))
    assert set(MODELS) >= {"relu", "hidden_relu", "hidden_relu_biased"}
