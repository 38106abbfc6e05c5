"""Check the known arrangements against the closed forms and their geometry."""

import numpy as np
import pytest

from toymodels.exact.expected import expected_loss
from toymodels.exact.starts import arrangements, disturbances, known_starts, random_starts, riders
from toymodels.theory import phase_losses_2_1, phase_losses_3_2

SIZES = [(2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 2), (5, 3), (6, 2)]


def losses_by_name(n_features, n_hidden, p, r):
    importance = np.ones(n_features, np.float32)
    importance[-1] = r
    density = np.full(n_features, p, np.float32)
    return {
        a.name: float(expected_loss(a.W, a.bias(density), density, importance))
        for a in arrangements(n_features, n_hidden)
    }


def test_arrangements_of_2_in_1_have_the_losses_of_the_phases():
    got, expected = losses_by_name(2, 1, 0.4, 0.3), phase_losses_2_1(0.4, 0.3)
    assert got["dedicated* + 1 dropped"] == pytest.approx(expected["dedicated"], rel=1e-5)
    assert got["dedicated + 1 dropped*"] == pytest.approx(expected["not represented"], rel=1e-5)
    assert got["digon*"] == pytest.approx(expected["antipodal"], rel=1e-5)


def test_arrangements_of_3_in_2_hold_the_four_phases_and_the_triangle():
    got, expected = losses_by_name(3, 2, 0.4, 3.0), phase_losses_3_2(0.4, 3.0)
    for name, phase in {
        "dedicated + dedicated + 1 dropped*": "not represented",
        "dedicated + digon*": "antipodal",
        "dedicated* + digon": "dedicated, others antipodal",
        "dedicated* + dedicated + 1 dropped": "dedicated, another dropped",
    }.items():
        assert got.pop(name) == pytest.approx(expected[phase], rel=1e-5), name
    assert list(got) == ["triangle*"]


@pytest.mark.parametrize(("n_features", "n_hidden"), SIZES)
def test_each_arrangement_fills_the_dimensions_with_unit_columns(n_features, n_hidden):
    found = arrangements(n_features, n_hidden)
    assert len({a.name for a in found}) == len(found)
    for a in found:
        assert a.W.shape == (n_hidden, n_features)
        assert np.linalg.matrix_rank(a.W) == n_hidden
        np.testing.assert_allclose(np.linalg.norm(a.W, axis=0), ~a.dropped, atol=1e-6)
        assert a.dropped[-1] == ("dropped*" in a.name)


def test_names_say_which_polytopes_there_are():
    assert "pentagon*" in [a.name for a in arrangements(5, 2)]
    tetrahedron = arrangements(4, 3)[-1]
    assert tetrahedron.name == "tetrahedron*"
    np.testing.assert_allclose(tetrahedron.W.T @ tetrahedron.W, (4 * np.eye(4) - 1) / 3, atol=1e-6)
    octahedron = [a for a in arrangements(6, 3) if a.name == "digon* + digon + digon"]
    assert len(octahedron) == 1


def test_what_is_dropped_has_half_its_density_as_bias():
    (pair,) = [a for a in arrangements(3, 1) if a.name == "digon + 1 dropped*"]
    np.testing.assert_allclose(
        pair.bias([[0.2, 0.4, 0.6], [0, 0, 1.0]]), [[0, 0, 0.3], [0, 0, 0.5]]
    )


def test_riders_are_listed_once_for_each_role_of_the_extra_feature():
    listed = riders(3, 1)
    signs = {tuple(np.sign(r.W[0]) * np.sign(r.W[0, 2])) for r in listed}
    lengths = {tuple(np.round(np.abs(r.W[0]).astype(float), 3).tolist()) for r in listed}
    assert signs == {(-1, -1, 1), (1, -1, 1)}
    assert lengths == {(0.4, 1, 1), (1, 1, 0.4)} and len(listed) == 3
    assert [len(riders(*sizes)) for sizes in ((2, 1), (3, 2), (4, 2), (4, 3), (5, 2))] == [
        *(0, 0, 4, 0, 9)
    ]


def test_a_rider_is_no_dropped_feature():
    for known in known_starts(4, 2):
        np.testing.assert_array_equal(known.dropped, np.linalg.norm(known.W, axis=0) == 0)


def test_groups_lean_to_the_side_of_their_biases():
    leaning = {k.name: np.sign(k.lean).tolist() for k in arrangements(5, 2)}
    assert leaning["pentagon*"] == [-1] * 5
    assert leaning["triangle* + 2 dropped"] == [0, 0, 1, 1, 1]
    assert leaning["digon* + digon + 1 dropped"] == [0] * 5


def test_random_starts_do_not_depend_on_how_many_are_drawn():
    few, many = random_starts(2, 4, 2, seed=3), random_starts(5, 4, 2, seed=3)
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a, b[:2])
    assert not np.allclose(many[0], random_starts(5, 4, 2, seed=4)[0])
    assert random_starts(0, 4, 2, seed=0)[0].shape == (0, 2, 4)
    assert 0 < np.abs(disturbances(5, 4, 2, seed=3)[0]).max() < 0.2
