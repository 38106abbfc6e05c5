import pytest

from sweeps.grid import Axis, Dimension, Grid
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
