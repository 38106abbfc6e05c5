"""The problems of the phase diagrams as records: labels, losses, and what lies near a boundary."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.geometry import feature_norms, superposition
from toymodels.theory import PHASES_2_1, PHASES_3_2, PROBLEMS, problem_of, regular_polygon
from toymodels.theory.problems import (
    BAND,
    agreement,
    explicit_label,
    explicit_loss,
    label_model,
    label_optimum,
    outside_band,
)

TWO_IN_ONE, THREE_IN_TWO = PROBLEMS[2, 1], PROBLEMS[3, 2]
R, P = np.geomspace(0.1, 10, 60)[:, None], np.geomspace(0.01, 1, 60)[None]
both = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=["2-1", "3-2"])


def invariants(columns):
    """Return norms and superposition of one explicit W `[M, F]`."""
    W = np.asarray(columns, np.float32)
    return np.asarray(feature_norms(W)), np.asarray(superposition(W))


@pytest.mark.parametrize(
    ("problem", "W", "phase"),
    [
        (TWO_IN_ONE, [[1, 0]], "not represented"),
        (TWO_IN_ONE, [[0, 1]], "dedicated"),
        (TWO_IN_ONE, [[1, -1]], "antipodal"),
        (THREE_IN_TWO, [[1, 0, 0], [0, 1, 0]], "not represented"),
        (THREE_IN_TWO, [[1, 0, 0], [0, 1, -1]], "antipodal"),
        (THREE_IN_TWO, [[1, -1, 0], [0, 0, 1]], "dedicated, others antipodal"),
        (THREE_IN_TWO, [[1, 0, 0], [0, 0, 1]], "dedicated, another dropped"),
    ],
)
def test_the_explicit_solutions_carry_their_own_label(problem, W, phase):
    for name in (label_model, label_optimum):
        assert problem.phases[int(name(problem, *invariants(W)))] == phase


def test_a_triangle_is_an_optimum_of_its_own_and_no_phase():
    triangle = invariants(0.9 * regular_polygon(3))
    assert THREE_IN_TWO.optima[int(label_optimum(THREE_IN_TWO, *triangle))] == "triangle"
    # It is a model, too, and the phases then take it for the nearest of theirs.
    assert THREE_IN_TWO.phases[int(label_model(THREE_IN_TWO, *triangle))] in PHASES_3_2
    assert TWO_IN_ONE.optima == PHASES_2_1


def test_models_are_labelled_in_any_shape_of_leading_axes():
    norm, shared = (np.stack(a) for a in zip(*map(invariants, ([[1, 0]], [[1, -1]])), strict=True))
    many = label_model(TWO_IN_ONE, np.tile(norm, (3, 1, 1)), np.tile(shared, (3, 1, 1)))
    np.testing.assert_array_equal(many, [[0, 2]] * 3)
    with pytest.raises(InputError, match=r"\[2\] features, got shape \(3,\)"):
        label_model(TWO_IN_ONE, np.ones(3), np.ones(3))


@both
def test_labels_and_losses_are_those_of_the_closed_forms(problem):
    names = np.array(problem.phases)[explicit_label(problem, P, R)]
    np.testing.assert_array_equal(names, problem.label(P, R))
    losses = problem.losses(P, R)
    np.testing.assert_array_equal(explicit_loss(problem, P, R), np.min([*losses.values()], axis=0))
    assert int(explicit_label(problem, 0.3, 1.0)) == problem.phases.index("antipodal")


def label_changes(problem, by):
    """Tell where a step by a factor along p changes theory's label, and where one along r does."""
    here = problem.label(P, R)
    return (
        [problem.label(np.minimum(P * f, 1), R) != here for f in (1 / by, by)],
        [problem.label(P, R * f) != here for f in (1 / by, by)],
    )


@both
@pytest.mark.parametrize("direction", [0, 1], ids=["density", "importance"])
def test_no_cell_outside_the_band_touches_a_boundary(problem, direction):
    far = outside_band(problem, P, R)
    assert 0.5 < far.mean() < 0.97
    for changed in label_changes(problem, 1 + 0.9 * BAND)[direction]:
        assert changed.any()
        assert not (far & changed).any()


@both
def test_every_cell_inside_the_band_touches_a_boundary(problem):
    along_p, along_r = label_changes(problem, 1 + 1.001 * BAND)
    assert np.any([*along_p, *along_r], axis=0)[~outside_band(problem, P, R)].all()


@both
def test_agreement_counts_the_cells_outside_the_band_alone(problem):
    labels, far = explicit_label(problem, P, R), outside_band(problem, P, R)
    wrong_inside = np.where(far, labels, -1)
    assert agreement(problem, P, R, wrong_inside) == 1
    half = np.flatnonzero(far)[::2]
    wrong_outside = labels.copy()
    wrong_outside.flat[half] = -1
    assert agreement(problem, P, R, wrong_outside) == pytest.approx(1 - len(half) / far.sum())
    on_the_line = problem.boundary(1 / 2)
    assert np.isnan(agreement(problem, on_the_line, 1 / 2, 0))


def test_distances_from_a_boundary_need_more_than_nothing():
    for p, r in ((0.0, 1.0), (0.5, 0.0)):
        with pytest.raises(InputError, match="above 0"):
            outside_band(TWO_IN_ONE, p, r)


def test_an_unknown_problem_names_the_known_ones():
    assert problem_of(3, 2) is THREE_IN_TWO
    with pytest.raises(InputError, match=r"n_features = 4 and n_hidden = 2.*known of 2→1, 3→2"):
        problem_of(4, 2)
