"""Fields put at points of a grid: labels, padding, and numbers that a cell does not have."""

import numpy as np
import pytest
import xarray as xr

from sweeps.grid import Axis, Dimension, Grid
from sweeps.packed import Output
from sweeps.results import Joiner, Labels, flags
from sweeps.store import open_dataset, save_dataset
from toymodels.fields import Field

GRID = Grid(
    (
        Dimension("p", (Axis("features.p", "p", (0.1, 0.5)),)),
        Dimension("seed", (Axis("seed", "seed", (7, 9)),)),
    )
)
POINTS = np.array([[0, 2], [1, 3]])  # seed × p


def joined(*parts, scalars=None, **attributes):
    joiner = Joiner(GRID)
    for points, fields, coords in parts:
        joiner.add(np.array(points), Output(fields, {k: np.array(v) for k, v in coords.items()}))
    return joiner.dataset(Labels(scalars or {}, attributes))


def test_values_stand_at_their_points():
    loss = Field(np.array([[0.0, 2.0], [1.0, 3.0]]), (), "the loss")
    W = Field(np.arange(24.0).reshape(2, 2, 2, 3), ("hidden", "feature"))
    ds = joined((POINTS, {"loss": loss, "W": W}, {}), scalars={"steps": 20}, name="x")
    assert ds.loss.dims == ("p", "seed")
    assert ds.W.dims == ("p", "seed", "hidden", "feature")
    np.testing.assert_array_equal(ds.loss, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(ds.W.sel(p=0.5, seed=7), W.values[0, 1])
    assert ds.loss.attrs == {"long_name": "the loss"}
    assert (ds.attrs, int(ds.steps), ds.steps.ndim) == ({"name": "x"}, 20, 0)


def test_padding_of_a_block_is_left_out():
    values = Field(np.array([[5.0, 6.0, 99.0]]), ())
    rest = Field(np.array([[7.0, 8.0]]), ())
    ds = joined(([[0, 1, -1]], {"x": values}, {}), ([[2, 3]], {"x": rest}, {}))
    np.testing.assert_array_equal(ds.x, [[5, 6], [7, 8]])


def test_smaller_arrays_are_padded_with_nan_to_the_largest():
    small = Field(np.ones((1, 2, 1, 2)), ("hidden", "feature"))
    large = Field(np.ones((1, 2, 2, 3)), ("hidden", "feature"))
    ds = joined(([[0, 1]], {"W": small}, {}), ([[2, 3]], {"W": large}, {}))
    assert ds.W.shape == (2, 2, 2, 3)
    assert np.isfinite(ds.W.values[1]).all()
    np.testing.assert_array_equal(np.isfinite(ds.W.values[0, 0]), [[1, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.bool_])
def test_an_integer_that_a_cell_does_not_have_is_no_zero(kind):
    """`n_agree = 0` of a cell that was trained would say that no start agreed."""
    have = Field(np.array([[3, 0]]).astype(kind), ())
    other = Field(np.array([[0.5, 0.5]]), ())
    ds = joined(([[0, 1]], {"n": have, "x": other}, {}), ([[2, 3]], {"x": other}, {}))
    np.testing.assert_array_equal(ds.n.values, [[float(have.values[0, 0]), 0], [np.nan, np.nan]])
    assert ds.x.notnull().all()


def test_an_integer_array_that_is_shorter_is_padded_with_no_zero():
    short, long = (Field(np.ones((1, 2, n), int), ("feature",)) for n in (2, 3))
    ds = joined(([[0, 1]], {"n": short}, {}), ([[2, 3]], {"n": long}, {}))
    np.testing.assert_array_equal(ds.n[0, 0], [1, 1, np.nan])


def test_integers_that_all_cells_have_stay_integers():
    ds = joined((POINTS, {"n": Field(np.array([[1, 2], [3, 4]], np.int8), ())}, {}))
    assert ds.n.dtype == np.int8


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (np.array([[3, 0]], np.int8), np.array([[0.5, 0.25]])),
        (np.array([[1, 2]], np.int8), np.array([[300, 4]], np.int16)),
        (np.array([["z", "y"]]), np.array([["zzz", "b"]])),
    ],
)
def test_a_variable_holds_the_values_of_every_block(narrow, wide, order):
    """Blocks of a user's measure may differ in dtype: 0.5 is no 0 where the first has integers."""
    parts = [([[0, 1]], {"x": Field(narrow, ())}, {}), ([[2, 3]], {"x": Field(wide, ())}, {})]
    ds = joined(*parts[::order])
    assert ds.x.values.tolist() == [*narrow.tolist(), *wide.tolist()]
    assert ds.x.dtype == wide.dtype


def test_dimensions_with_values_are_joined_by_value():
    """Curves at other steps, networks of another depth."""
    one = Field(np.array([[[1.0, 2.0]]]), ("step",))
    two = Field(np.array([[[3.0, 4.0, 5.0]]]), ("step",))
    ds = joined(
        ([[0]], {"c": one}, {"step": [100, 250]}), ([[3]], {"c": two}, {"step": [50, 100, 300]})
    )
    np.testing.assert_array_equal(ds.step, [50, 100, 250, 300])
    np.testing.assert_array_equal(ds.c.sel(p=0.1, seed=7), [np.nan, 1, 2, np.nan])
    np.testing.assert_array_equal(ds.c.sel(p=0.5, seed=9), [3, 4, np.nan, 5])
    assert ds.c.sel(p=0.1, seed=9).isnull().all()


def test_labels_say_what_they_mean(tmp_path):
    label = Field(np.array([[0, 1], [1, 0]], np.int8), (), "how", ("not yet", "done"))
    ds = joined((POINTS, {"state": label}, {}))
    assert ds.state.attrs["flag_meanings"] == "not_yet done"
    np.testing.assert_array_equal(ds.state.attrs["flag_values"], [0, 1])
    assert flags(()) == {}
    save_dataset(ds, tmp_path / "a.nc")
    xr.testing.assert_identical(open_dataset(tmp_path / "a.nc"), ds)


def test_a_field_is_not_overwritten_by_a_setting_of_its_name():
    """Circuits measure nothing called so today; a user's measure may."""
    steps = Field(np.array([[1.0, 2.0], [3.0, 4.0]]), ())
    ds = joined((POINTS, {"steps": steps}, {}), scalars={"steps": 20, "rate": 0.1})
    assert ds.steps.shape == (2, 2)
    assert float(ds.rate) == 0.1
