"""Where D* sticks, what the claim says of any data, and what is drawn."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.toy_models import geometry
from toymodels.geometry import dimensions_per_feature, feature_dimensionality
from toymodels.theory.shapes import regular_polygon

mpl.use("Agg")

DENSITIES = (1.0, 0.9, 0.8, 0.5, 0.2, 0.19, 0.18, 0.17)


def triangle():
    """Three features as a triangle in two of three dimensions; the fourth is not learned."""
    return np.pad(regular_polygon(3), ((0, 1), (0, 1)))


def digons():
    """Two digons in two of three dimensions."""
    return np.array([[1.0, -1, 0, 0], [0, 0, 1, -1], [0, 0, 0, 0]])


def dataset(W=None, seeds=2, densities=DENSITIES):
    """Digons where D* sticks below, a triangle elsewhere."""
    if W is None:
        W = [[digons() if p <= 0.2 else triangle()] * seeds for p in densities]
    W = np.asarray(W, np.float32)
    axes = ("p_active", "seed")
    lost = ~np.isfinite(W).all((2, 3))
    flat = W.reshape(-1, *W.shape[2:])
    D = np.array([feature_dimensionality(w) for w in flat]).reshape(*W.shape[:2], -1)
    stars = np.array([dimensions_per_feature(w) for w in flat]).reshape(W.shape[:2])
    return xr.Dataset(
        {
            "W": ((*axes, "hidden", "feature"), W),
            "feature_dimensionality": ((*axes, "feature"), D),
            "dimensions_per_feature": (axes, stars),
            "loss_ranking": (axes, np.where(lost, np.nan, 1.0)),
            "diverged": (axes, lost.astype(int)),
        },
        {"p_active": list(densities), "seed": range(W.shape[1]), "n_hidden": 3}
        | {"graphs": ("graphs", [0.9, 0.17, 0.16])},
    )


def test_d_star_sticks_over_three_densities_or_more():
    p = np.array([1.0, 0.9, 0.8, 0.6, 0.4, 0.3, 0.25, 0.2])
    D = np.array([1.0, 1.0, 0.99, 0.7, 0.51, 0.5, 0.49, 0.4])
    assert geometry.plateaus(p, D) == [(0, 2), (4, 6)]
    assert geometry.plateaus(p[:2], D[:2]) == []
    assert geometry.plateaus(p[:1], D[:1]) == []
    assert geometry.plateaus(p, np.where(p == 0.9, np.nan, D)) == [(4, 6)]
    assert geometry.plateaus(p, p) == []  # a power law does not stick


def test_the_claim_names_plateaus_polytopes_and_sums():
    found = geometry.analyse(dataset())
    assert geometry.claim(found) == (
        "Dimensions per feature stick at 1.00 (density 0.5 to 1) and 0.75 (density 0.17 to 0.2); "
        "16 models hold 16 digons, 8 triangles, no tetrahedron, no pentagon and no square "
        "antiprism; the Dᵢ of a model sum to 2.00, with m = 3"
    )
    np.testing.assert_array_equal(found["sticks"], [1, 1, 1, 1, 2, 2, 2, 2])


def test_the_claim_of_odd_data_is_true_of_them():
    one = geometry.analyse(dataset([[np.eye(3, 4)]], densities=(0.3,)))
    assert geometry.claim(one) == (
        "Dimensions per feature stick at no value; one model hold no regular polytope; the Dᵢ of a "
        "model sum to 3.00, with m = 3"
    ).replace("hold", "holds")
    lost = geometry.analyse(dataset([[np.full((3, 4), np.nan)]], densities=(0.3,)))
    assert geometry.claim(lost) == "Every run diverged"
    assert "interval" not in " ".join(geometry.caption(one))


def test_densities_are_sorted_and_graphs_are_of_the_nearest():
    found = geometry.analyse(dataset().isel(p_active=slice(None, None, -1)))
    assert found["p_active"].values.tolist() == list(DENSITIES)
    assert geometry.shown(found) == [1, 7]


def drawn_texts(found):
    figure = geometry.draw(found)
    panels = {ax.get_title() or "dimensions": ax for ax in figure.axes}
    return panels, {k: [t.get_text() for t in ax.texts] for k, ax in panels.items()}


@pytest.mark.usefixtures("paper_style")
def test_the_line_is_d_star_the_dots_every_d_and_the_ideals_are_named():
    found = geometry.analyse(dataset())
    panels, texts = drawn_texts(found)
    ax = panels["dimensions"]
    line = next(one for one in ax.lines if one.get_marker() == "o")
    np.testing.assert_allclose(line.get_xdata(), 1 / np.array(DENSITIES))
    np.testing.assert_allclose(line.get_ydata(), [1] * 4 + [0.75] * 4, rtol=1e-5)
    dots = ax.collections[0].get_offsets()
    np.testing.assert_allclose(dots[:, 1], found["feature_dimensionality"].values.ravel())
    near = np.repeat(1 / np.array(DENSITIES), 8)
    assert np.all(np.abs(np.log(dots[:, 0] / near)) < 0.5)
    assert {"3/4 tetrahedron", "2/3 triangle", "1/2 digon", "2/5 pentagon"} < set(
        texts["dimensions"]
    )
    assert "3/8 square antiprism" in texts["dimensions"]
    assert texts["1 − S = 0.9"] == ["1 × triangle"]
    assert texts["1 − S = 0.17"] == ["2 × digon"]


@pytest.mark.usefixtures("paper_style")
def test_a_density_at_which_all_diverged_says_so():
    W = [[triangle()], [np.full((3, 4), np.nan)], [np.zeros((3, 4))]]
    found = geometry.analyse(dataset(W, densities=(0.9, 0.17, 0.16)))
    _, texts = drawn_texts(found)
    assert texts["1 − S = 0.17"] == ["all runs diverged"]
    assert texts["1 − S = 0.16"][0].startswith("no feature is represented")
