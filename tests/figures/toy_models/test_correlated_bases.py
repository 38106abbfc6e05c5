"""F25 by the numbers: cosines within sets and across, and those of the null."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import correlated_bases as figure
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

TURN = np.array([[0.8, -0.6], [0.6, 0.8]])
BASES = np.concatenate([np.eye(2), TURN], axis=1)  # two sets of two
PAIRS = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])


@pytest.fixture
def trained(monkeypatch):
    monkeypatch.setattr(figure, "exact_losses", lambda world, n_sets: world["loss_ranking"])
    W = np.broadcast_to(np.stack([BASES, PAIRS])[:, None, None], (2, 2, 3, 2, 4)).copy()
    W[0, 1] = PAIRS  # no basis at the higher density
    cells = ("world", "p_active", "seed")
    loss = np.broadcast_to([3.0, 1.0, 2.0], (2, 2, 3))
    variables = {
        "W": ((*cells, "hidden", "feature"), W),
        "b": ((*cells, "feature"), np.zeros((2, 2, 3, 4))),
        "loss": (cells, loss),
        "loss_ranking": (cells, loss),
        "diverged": (cells, np.zeros(loss.shape, int)),
    }
    coords = {"p_active": [0.02, 0.2], "seed": [5, 6, 7], "n_features": 4, "n_hidden": 2}
    coords |= {"kind": ("world", ["correlated", "independent"]), "n_sets": ("world", [2, 2])}
    return xr.Dataset(variables, coords)


def test_cosines_are_those_within_sets_and_across(trained):
    found = figure.analyse(trained)
    assert found["best_seed"].values.tolist() == [[6, 6], [6, 6]]
    np.testing.assert_allclose(found["within_mean"], [[0, 1], [1, 1]], atol=1e-12)
    np.testing.assert_allclose(found["across_mean"], [[0.7, 0], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(found["across_max"], [[0.8, 0], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(found["within_max_average"], [[0, 1], [1, 1]], atol=1e-12)


def test_claim_says_where_a_set_is_a_basis_and_where_not(trained):
    found = figure.analyse(trained)
    assert figure.claim(found) == (
        "Two correlated sets of 2 features in 2 dimensions: mean |cos| within a set is 0 at "
        "density 0.02, the largest across 0.8; at density 0.2 a set is no orthogonal basis "
        "(largest |cos| 1); independent features reach 1 anywhere"
    )
    assert "independent sets" in figure.claim(found.isel(world=[1]))
    lost = figure.analyse(trained.assign(diverged=trained["diverged"] + 1))
    assert figure.claim(lost).endswith("every run diverged")


def test_figure_draws_blocks_and_curves(trained):
    drawn = figure.draw(figure.analyse(trained))
    named = {ax.get_title() or ax.get_ylabel(): ax for ax in drawn.axes}
    assert {"correlated: WᵀW, and b", "null: independent"} < set(named)
    np.testing.assert_allclose(
        named["one set"].images[0].get_array(), PAIRS[:, :2].T @ PAIRS[:, :2]
    )
    curves = named["mean |cos| of two features"].containers
    np.testing.assert_allclose(curves[1].lines[0].get_ydata(), [0.7, 0], atol=1e-12)
    random = named["mean |cos| of two features"].lines[-1].get_ydata()[0]
    assert random == pytest.approx(2 / np.pi)  # the mean |cosine| of an angle on the circle


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("n_features=21", "n_sets = 2 does not divide n_features = 21"),
        ("zip.world.features.n_sets=[1, 1]", "n_sets = 1: give from 2 to 10"),
        ("n_features=2", "n_features = 2, n_sets = 2: give equal sets of two or more"),
        ("zip.world.features.n_sets=[2, 4]", "one n_sets for all worlds"),
    ],
)
def test_what_cannot_be_drawn_is_refused(override, told):
    with pytest.raises(InputError, match=told):
        planned(entry_of("correlated-bases"), "", [override])
