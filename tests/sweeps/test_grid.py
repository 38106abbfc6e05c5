import numpy as np
import pytest
import xarray as xr

from sweeps.grid import Axis, Dimension, Grid, codes_of
from toymodels.errors import InputError


def axis(name, *values):
    return Axis(name, name, values)


def product(*axes):
    return Grid(tuple(Dimension(a.name, (a,)) for a in axes))


def test_points_are_the_product_with_the_last_dimension_fastest():
    grid = product(axis("a", 1, 2), axis("c", 3, 4, 5))
    assert grid.shape == (2, 3)
    assert grid.size == 6
    expected = [{"a": a, "c": c} for a in (1, 2) for c in (3, 4, 5)]
    assert list(grid.points()) == expected


def test_axes_of_one_dimension_move_together():
    grid = Grid((Dimension("size", (axis("n", 5, 20), axis("m", 2, 5))),))
    assert list(grid.points()) == [{"n": 5, "m": 2}, {"n": 20, "m": 5}]


def test_a_grid_without_dimensions_is_one_point():
    assert Grid().size == 1
    assert list(Grid().points()) == [{}]


def test_an_empty_axis_is_refused():
    with pytest.raises(InputError, match="'a' is empty"):
        axis("a")


@pytest.mark.parametrize("values", [(1, 2, 1), (0.5, 0.5), (1, 1.0), ("relu", "relu")])
def test_a_value_given_twice_is_refused(values):
    with pytest.raises(InputError, match=r"'a' holds the value .* twice"):
        product(axis("a", *values))


def test_zipped_axes_may_repeat_values_but_not_points():
    Dimension("size", (axis("n", 5, 5, 20), axis("m", 2, 3, 3)))
    with pytest.raises(InputError, match=r"'n', 'm' holds the value 5, 2 twice"):
        Dimension("size", (axis("n", 5, 5), axis("m", 2, 2)))


def test_zipped_axes_of_different_lengths_are_refused():
    with pytest.raises(InputError, match=r"'size' have different lengths \{'n': 2, 'm': 1\}"):
        Dimension("size", (axis("n", 5, 20), axis("m", 2)))


def test_a_name_stands_for_one_thing():
    with pytest.raises(InputError, match="dimension 'a' is given twice"):
        product(axis("a", 1), axis("a", 2))
    with pytest.raises(InputError, match="axis 'p' is given twice"):
        Grid((Dimension("a", (Axis("p", "a", (1,)),)), Dimension("c", (Axis("p", "c", (1,)),))))
    with pytest.raises(InputError, match="name 'n' is given twice"):
        Grid((Dimension("n", (axis("n", 1),)), Dimension("z", (Axis("other.n", "n", (2,)),))))


@pytest.mark.parametrize("name", ["hidden", "loss"])
def test_a_name_of_the_result_is_refused(name):
    taken = {"hidden", "loss"}
    with pytest.raises(InputError, match=f"{name!r} is taken by the result"):
        product(axis(name, 1)).require_free(taken)
    with pytest.raises(InputError, match=f"{name!r} is taken by the result"):
        Grid((Dimension("size", (Axis("n", name, (1,)),)),)).require_free(taken)
    product(axis("free", 1)).require_free(taken)


@pytest.mark.parametrize(
    "name", ["1/(1-S)", "", " ", "a b", "a\n", "1st", "size-a", "a.b", "e\u0301", 3, None, "x="]
)
def test_a_name_that_a_result_cannot_store_is_refused(name):
    for make in (lambda: Axis("p", name, (1,)), lambda: Dimension(name, (axis("p", 1),))):
        with pytest.raises(InputError, match=r"grid name .* letters, digits and '_'"):
            make()


@pytest.mark.parametrize("name", ["p_active", "α", "L2", "inverse_density", "_x"])
def test_other_names_are_stored(name, tmp_path):
    Dimension(name, (axis("p", 1),))
    xr.Dataset({"loss": (name, [1.0])}, {name: [2]}).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as ds:
        assert ds[name].item() == 2


def test_points_are_asked_for_by_their_place():
    grid = product(axis("a", 1, 2), axis("c", 3, 4, 5))
    flat = np.array([5, 0, 4])
    assert list(grid.points_at(flat)) == [list(grid.points())[i] for i in flat]
    assert list(Grid().points_at(np.array([0]))) == [{}]


def test_rows_are_numbered_in_order_of_appearance():
    found = codes_of([(2, 1, 2.0, 2, "2"), ("a", "b", "a", "c", "a")])
    np.testing.assert_array_equal(found, [0, 1, 0, 2, 3])
