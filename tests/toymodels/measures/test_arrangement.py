"""What an optimum is called, on matrices made by hand."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.measures.arrangement import irregularity, kind_of, name_optimum
from toymodels.polytopes import ideals
from toymodels.theory import regular_polygon

SQUARE = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
THREE_CLOSE = np.array([[1.0, 0.9, 0.8, 0], [0, 0.44, 0.6, 0]])  # near each other: no polytope


@pytest.mark.parametrize(
    ("W", "name", "shape", "extra", "n_weak"),
    [
        ([[1, -1]], "digon", "digon", "digon", 0),
        ([[1, -0.2]], "dedicated, 1 dropped", "dedicated", "weak", 1),
        ([[1, -1, 0.05]], "digon, 1 dropped", "digon", "dropped", 0),
        ([[-1.05, -0.4, 1]], "digon, 1 dropped", "digon", "digon", 1),
        ([[1, 0, 0], [0, 1, -1]], "digon + dedicated", "digon", "digon", 0),
        ([[1, -1, 0], [0, 0, 1]], "digon + dedicated", "digon", "dedicated", 0),
        (SQUARE, "digon + digon", "square", "digon", 0),
        (regular_polygon(5), "pentagon", "pentagon", "pentagon", 0),
        (ideals(4)["tetrahedron"], "tetrahedron", "tetrahedron", "tetrahedron", 0),
        (THREE_CLOSE, "unnamed (3 in 2), 1 dropped", "unnamed", "dropped", 0),
    ],
)
def test_an_optimum_is_named_by_its_groups_and_by_where_the_extra_feature_is(
    W, name, shape, extra, n_weak
):
    found = name_optimum(np.asarray(W, float))
    assert (found.name, found.shape, found.extra, found.n_weak) == (name, shape, extra, n_weak)


def test_irregularity_grows_with_bent_groups_and_with_weak_features():
    bent = regular_polygon(3) + np.array([[0, 0.2, 0], [0, 0, 0]])
    assert irregularity(regular_polygon(3)) == pytest.approx(0, abs=1e-6)
    assert 0.02 < irregularity(bent) < 0.3
    assert irregularity(np.array([[1, -1, 0.2]])) == pytest.approx(0.05, abs=1e-6)
    assert irregularity(THREE_CLOSE) == np.inf


def test_kinds_differ_in_name_in_the_place_of_the_last_feature_and_in_weak_ones():
    last, first = np.array([[1, 0, 0], [0, 1, -1]]), np.array([[1, -1, 0], [0, 0, 1]])
    weak = np.array([[1.0, 0.3, 0], [0, 0, 1]])
    dropped = np.array([[1.0, 0, 0], [0, 0, 1]])
    assert len({kind_of(W) for W in (last, first, weak, dropped)}) == 4
    assert kind_of(last) == kind_of(-1.1 * last[::-1])


def test_a_diverged_model_has_no_name():
    with pytest.raises(InputError, match="diverged"):
        name_optimum(np.array([[np.nan, 1.0]]))
