"""The schematics: what is computed for them, and that what is drawn is what was computed."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import schematics
from figures.toy_models import schematics_numbers as numbers
from toymodels.errors import InputError
from toymodels.theory.shapes import regular_polygon, regular_simplex

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


@pytest.fixture(scope="module")
def found():
    return figures.schematics.compute(version="tiny")


def texts_of(ax):
    return " | ".join(text.get_text() for text in ax.findobj(mpl.text.Text))


def test_one_corner_of_a_pentagon_is_hidden_as_its_two_neighbours_are():
    x, distance = numbers.twins(1.3 * regular_polygon(5))
    np.testing.assert_allclose(x[0], [2 * np.cos(2 * np.pi / 5), 0, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(x[1], [0, 1, 0, 0, 1], atol=1e-9)
    assert distance < 1e-9


def test_where_no_inputs_are_alike_their_distance_is_said():
    """Three corners of a square's half: no feature is a sum of two others with positive values."""
    digons = np.kron(np.eye(2), regular_simplex(2))
    assert numbers.twins(digons).distance == np.inf
    near = numbers.twins(np.array([[1.0, 0.8, 0.8], [0.0, 0.6, -0.5]]))
    assert near.distance < 0.01 and np.count_nonzero(near.x[1]) == 2


def test_features_that_read_out_strongest_are_counted():
    rng = np.random.default_rng(0)
    assert numbers.share_found(rng, np.eye(6), 3, 20) == 1.0
    assert numbers.share_found(rng, np.ones((1, 6)), 3, 20) == 0.0  # all read alike


def test_the_claim_says_which_inputs_are_confused(found):
    assert schematics.claim(found) == (
        "5 features in 2 neurons: one alone projects onto the others by -0.81 to 0.31; "
        "feature 1 at 0.62 and features 2 and 5 together look exactly the same"
    )
    apart = found.assign(twin_distance=xr.DataArray(0.25))
    assert schematics.claim(apart).endswith("look the same but for a distance of 0.25")
    none = found.assign(twin_distance=xr.DataArray(np.inf), twin=found["twin"] * 0)
    assert schematics.claim(none).endswith("no two features together look like a third")


def test_numbers_in_the_blocks_are_those_of_the_model(found):
    drawn = figures.schematics.draw(found)
    ax = next(ax for ax in drawn.axes if ax.get_title(loc="left").startswith("F5"))
    W, b = found["W"].values, found["b"].values
    x = found["example_input"].values
    h = W @ x
    told = texts_of(ax).replace("−", "-")
    for value in (*h, *np.maximum(W.T @ h + b, 0), *W.ravel()):
        assert f"{value + 0.0:.2f}" in told
    fates = next(ax for ax in drawn.axes if ax.get_title(loc="left").startswith("F10"))
    assert all(name in texts_of(fates) for name in found["fate"].values)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("example=[1.0]", "give 5 numbers"),
        ("density=0.0", "above 0"),
        ("on=64", "fewer than large = 64"),
        ("fate_density=[0.5]", "as many, one to four"),
        ("fate_importance=[0.0, 1.0, 2.0]", "fate_importance above 0"),
        ("seed=-1", "seed = -1 must be at least 0"),
    ],
)
def test_settings_that_are_not_possible_are_refused(override, told):
    with pytest.raises(InputError, match=told):
        planned(entry_of("schematics"), "", [override])
