import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.entry import entries
from figures.toy_models import tetrahedra
from toymodels.errors import InputError
from toymodels.exact.packing import Packing
from toymodels.theory.shapes import regular_simplex

pytestmark = pytest.mark.usefixtures("paper_style")


# Loss taken away by each polytope, lines that cross the tetrahedron's at 0.8 and at 0.93.
LINES = {
    "triangle": lambda p: 0.8 - p,
    "5-cell": lambda p: p - 0.93,
    "tetrahedron": lambda p: 0 * p,
}


@pytest.fixture(autouse=True)
def known_packing(monkeypatch):
    def packing(shape, p):
        removed = LINES.get(shape.name, lambda p: 0 * p - 1)(p)
        return Packing(removed, p, p, p)

    monkeypatch.setattr(tetrahedra, "packing", packing)


def models(settings, shapes, diverged=0):
    """Return models of six features in three dimensions: settings x densities x two seeds."""
    W = np.zeros((len(settings), len(shapes), 2, 3, 6))
    for i, found in enumerate(shapes):
        for seed, n in enumerate(found):
            W[:, i, seed, : n - 1, :n] = regular_simplex(n)
    over = ("setting", "p_active", "seed")
    arrays = {"W": ((*over, "hidden", "feature"), W)}
    arrays["diverged"] = (over, np.full(W.shape[:3], diverged))
    coords = {"setting": np.arange(len(settings)), "p_active": [0.5, 0.8], "seed": [0, 1]}
    for name in ("n_features", "steps"):
        coords[name] = ("setting", [s[name] for s in settings])
    return xr.Dataset(arrays, coords | {"points": 9, "n_hidden": 3})


TWO = [{"n_features": 6, "steps": 100}, {"n_features": 6, "steps": 200}]


def test_tetrahedra_are_counted_and_the_window_is_where_they_are_best():
    found = tetrahedra.analyse(models(TWO[:1], [(4, 4), (3, 4)]))
    np.testing.assert_allclose(found["share"].values, [[1, 0.5]])
    assert tetrahedra.window(found) == pytest.approx((0.8, 0.93))
    said = tetrahedra.claim(found)
    assert "density 0.80–0.93" in said
    assert said.endswith("in at most 100% of models with 6 features (density 0.5)")
    assert tetrahedra.finding(found) == (
        "Largest share of seeds with a tetrahedron: 6 features, 100 steps: 1 (0.34–1) at density "
        "0.5"
    )


def test_none_found_and_all_diverged_are_said():
    assert "no model in 3 dimensions has one" in tetrahedra.claim(
        tetrahedra.analyse(models(TWO, [(2, 2), (3, 3)]))
    )
    lost = tetrahedra.analyse(models(TWO, [(4, 4), (4, 4)], diverged=1))
    assert tetrahedra.claim(lost).endswith("every run diverged")
    assert tetrahedra.finding(lost) == ""


def test_settings_are_named_by_what_differs_and_their_shares_are_drawn():
    found = tetrahedra.analyse(models(TWO, [(4, 4), (3, 4)]))
    assert tetrahedra.words_of(found, 1) == "200 steps"
    drawn = tetrahedra.draw(found)
    training = next(ax for ax in drawn.axes if ax.get_title() == "… and by training")
    labels = [text.get_text() for text in training.get_legend().get_texts()]
    assert labels == ["6 features, 100 steps", "200 steps"]
    np.testing.assert_allclose(training.containers[1].lines[0].get_ydata(), [1, 0.5])


def test_two_dimensions_have_no_room():
    with pytest.raises(InputError, match="n_hidden"):
        figures.tetrahedra.compute(version="tiny", overrides=["n_hidden=2"])
    assert entries()["tetrahedra"].axes == ("setting", "p_active", "seed")
