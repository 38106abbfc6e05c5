"""Phase maps: colours of fates, cells at their places, theory of the dataset's own problem."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from figures.kit import phases, style
from sweeps.config.parse import parse
from toymodels import theory
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


@pytest.mark.parametrize(
    ("fate", "color"),
    [
        *[((0, 0), style.DROPPED), ((0, 1, 1), style.DROPPED), ((1, 0), style.BLUE)],
        *[((1, 1), style.RED), ((9, 9, 9), style.RED), ((1, 0, 1), style.LIGHT_BLUE)],
    ],
)
def test_corners_of_the_phase_colours(fate, color):
    """Norm and superposition of the extra feature, and what the others share."""
    np.testing.assert_allclose(phases.phase_color(*fate), mpl.colors.to_rgb(color), atol=1e-12)


@pytest.mark.parametrize("name", [*theory.PHASES_2_1, *theory.PHASES_3_2])
def test_a_map_of_models_and_theory_have_the_same_colours(name):
    """Of W that are the explicit solutions themselves."""
    W = {
        "not represented": [[1, 0, 0], [0, 1, 0]],
        "dedicated": [[0, 1]],
        "antipodal": [[1, 0, 0], [0, 1, -1]],
        "dedicated, others antipodal": [[1, -1, 0], [0, 0, 1]],
        "dedicated, another dropped": [[0, 1, 0], [0, 0, 1]],
    }[name]
    others = phases.superposition_of_others(xr.Dataset({"W": (("hidden", "feature"), W)}))
    extra = np.array(W)[:, -1]
    share = np.sum((extra @ np.array(W)[:, :-1]) ** 2) / max(np.sum(extra**2), 1)
    drawn = phases.phase_color(np.linalg.norm(extra), share, others)
    np.testing.assert_allclose(drawn, mpl.colors.to_rgb(phases.COLORS[name]), atol=1e-12)


def test_superposition_of_others_counts_short_columns_by_their_square():
    W = np.array([[1.0, -0.1, 0.0], [0.0, 0.0, 1.0]])  # the second is nearly dropped
    models = xr.Dataset({"W": (("cell", "hidden", "feature"), np.stack([W, 2 * W]))})
    found = phases.superposition_of_others(models)
    assert found.dims == ("cell",)
    np.testing.assert_allclose(found, [0.01, 0.16], rtol=1e-6)


def test_phase_map_shows_the_cell_at_its_place():
    r, p = np.geomspace(0.1, 10, 5), np.geomspace(0.01, 1, 4)
    maps = xr.Dataset(coords={"relative_importance": r, "p_active": p})
    rgb = np.random.default_rng(0).random((5, 4, 3))
    _, ax = plt.subplots()
    mesh = phases.draw_phase_map(ax, maps, rgb)
    np.testing.assert_allclose(np.asarray(mesh.get_array())[2, 3], rgb[3, 2])
    x = mesh.get_coordinates()[0, :, 0]
    assert np.all((x[:-1] <= r) & (r <= x[1:]))


def test_axes_of_a_map_come_out_rising_in_any_order():
    r, p = [10.0, 0.1, 1.0], [1.0, 0.01]
    given = xr.Dataset(
        {"x": (("seed", "p_active", "relative_importance"), np.arange(6).reshape(1, 2, 3))},
        {"relative_importance": r, "p_active": p},
    )
    found = phases.as_map(given)
    assert found["x"].dims == ("relative_importance", "p_active", "seed")
    assert found["relative_importance"].values.tolist() == [0.1, 1, 10]
    assert found["x"].sel(relative_importance=0.1, p_active=1).item() == 1


@pytest.mark.parametrize("axis", ["[0.5]", "[0.0, 0.5]"])
def test_a_grid_that_is_no_map_is_refused(axis):
    table = {
        **{"name": "m", "model": "relu", "n_features": 2, "n_hidden": 1},
        "grid": {"importance.relative": [0.5, 2.0], "p_active": [0.1, 1.0]},
    }
    phases.require_map(parse(table))
    with pytest.raises(InputError, match=r"features.p_active = \[.*at least two values above 0"):
        phases.require_map(parse(table, [f"grid.p_active={axis}"]))


@pytest.mark.parametrize(("sizes", "n_panels"), [((2, 1), 1), ((3, 2), 2)])
def test_the_legend_has_a_square_for_each_fate_of_the_others(sizes, n_panels):
    _, ax = plt.subplots()
    phases.draw_phase_legend(ax, theory.problem_of(*sizes))
    assert len(ax.child_axes) == n_panels
    corners = [square.images[0].get_array() for square in ax.child_axes]
    np.testing.assert_allclose(corners[-1][-1, 0], mpl.colors.to_rgb(style.BLUE))
    if n_panels == 2:
        np.testing.assert_allclose(corners[0][-1, 0], mpl.colors.to_rgb(style.LIGHT_BLUE))


def test_theory_is_of_the_sizes_of_the_dataset():
    coords = {"relative_importance": [0.5, 2.0], "p_active": [0.1, 0.9], "n_hidden": 2}
    three = phases.with_theory(xr.Dataset(coords=coords | {"n_features": 3}))
    meanings = three["label_theory"].attrs["flag_meanings"].replace("_", " ")
    assert meanings == " ".join(theory.PHASES_3_2)
    np.testing.assert_array_equal(three["label_theory"], [[1, 0], [2, 3]])
    with pytest.raises(InputError, match="no closed-form phases"):
        phases.with_theory(xr.Dataset(coords=coords | {"n_features": 4}))
