"""The exact phase diagrams: theory's labels, the optimum against it, and what only we can say."""

import jax
import numpy as np
import pytest

import figures
from toymodels import theory
from toymodels.exact import expected_loss, expected_loss_float64, solve
from toymodels.theory import PROBLEMS

pytestmark = pytest.mark.claims

TWO_IN_ONE, THREE_IN_TWO = PROBLEMS[2, 1], PROBLEMS[3, 2]

R, P = np.meshgrid(np.geomspace(0.1, 10, 100), np.geomspace(0.01, 1, 100), indexing="ij")

# The explicit solutions by the name of the phase: W, and which feature's bias is p/2.
EXPLICIT = {
    TWO_IN_ONE: {
        "not represented": ([[1, 0]], 1),
        "dedicated": ([[0, 1]], 0),
        "antipodal": ([[1, -1]], None),
    },
    THREE_IN_TWO: {
        "not represented": ([[1, 0, 0], [0, 1, 0]], 2),
        "antipodal": ([[1, 0, 0], [0, 1, -1]], None),
        "dedicated, others antipodal": ([[1, -1, 0], [0, 0, 1]], None),
        "dedicated, another dropped": ([[0, 1, 0], [0, 0, 1]], 0),
    },
}


def explicit_losses(problem):
    """Compute each explicit solution's expected loss in every cell, `[phase, R, P]`."""
    n = problem.n_features
    importance = np.ones((*R.shape, n), np.float32)
    importance[..., -1] = R
    p_active = np.repeat(P[..., None], n, axis=-1).astype(np.float32)
    over = jax.jit(jax.vmap(jax.vmap(expected_loss, (None, 0, 0, 0)), (None, 0, 0, 0)))
    losses = []
    for name in problem.phases:
        W, dropped = EXPLICIT[problem][name]
        b = np.zeros_like(importance)
        if dropped is not None:
            b[..., dropped] = P / 2
        losses.append(np.asarray(over(np.array(W, np.float32), b, p_active, importance)))
    return np.stack(losses)


@pytest.fixture(scope="module", params=[TWO_IN_ONE, THREE_IN_TWO], ids=["2-1", "3-2"])
def problem(request):
    return request.param


@pytest.fixture(scope="module")
def maps(problem):
    n, m = problem.n_features, problem.n_hidden
    return getattr(figures, f"phase_diagram_{n}_{m}").compute()


def test_explicit_losses_are_the_closed_forms(problem):
    closed = np.stack(list(problem.losses(P, R).values()))
    np.testing.assert_allclose(explicit_losses(problem), closed, rtol=2e-6, atol=1e-8)


def test_labels_are_the_argmin_of_the_explicit_losses_in_every_cell(problem):
    losses = explicit_losses(problem)
    labels = np.array(problem.phases)[np.argmin(losses, axis=0)]
    least = np.sort(losses, axis=0)
    tied = least[1] - least[0] < 1e-6 * least[0]  # beyond what float32 can tell
    assert tied.mean() < 0.01
    wanted = problem.label(P, R)
    assert np.all((labels == wanted) | tied)


def test_optimum_is_at_most_every_explicit_solution_everywhere(problem, maps):
    assert maps.sizes["relative_importance"] == maps.sizes["p_active"] == 100
    ratio = maps["loss"].values / explicit_losses(problem).min(axis=0)
    assert ratio.max() <= 1 + 2e-6
    assert ratio.min() > 0.8  # theory is never far off: 14 % at most


def test_solved_phases_carry_the_theorys_label_off_the_boundary(problem, maps):
    wanted = {TWO_IN_ONE: 0.99, THREE_IN_TWO: 0.93}[problem]
    assert maps["agreement_outside_band"] >= wanted


def test_superposition_reaches_into_denser_data_than_theory_says(maps):
    r = maps["relative_importance"].values
    away = np.abs(np.log(r)) > np.log(2)
    ratio = (maps["boundary"] / maps["boundary_theory"]).values[away]
    assert np.all(ratio > 1.05)
    assert np.all(ratio < 1.26)


def test_three_in_two_has_a_triangle_that_theory_does_not_consider():
    equal = solve([[p] * 3 for p in (0.5, 0.55, 0.65, 0.9)], np.ones(3), 2)
    W = equal.W / np.linalg.norm(equal.W, axis=-2, keepdims=True)
    cosines = np.einsum("cmi,cmj->cij", W, W)[:, *np.triu_indices(3, 1)]
    np.testing.assert_allclose(np.sort(cosines[0]), [-1, 0, 0], atol=0.01)
    np.testing.assert_allclose(cosines[1:], -0.5, atol=0.01)


@pytest.mark.parametrize(
    ("r", "p", "expected"),
    # Measured by quadrature of the true optimum with bias, independently of this project.
    [
        (0.5, 0.45, (1.04, -0.84)),
        (0.5, 0.5, (1.0, 0.0)),
        (1.0, 0.3, (1.01, -1.01)),
        (1.0, 0.5, (0.97, -0.97)),
        (1.0, 0.6, (0.87, -0.87)),
        (1.0, 0.7, (0.76, -0.76)),
    ],
)
def test_optimum_of_two_in_one_deforms_as_quadrature_says(r, p, expected):
    W = solve([p, p], [1, r], 1).W[0]
    np.testing.assert_allclose(W * np.sign(W[0]), expected, atol=0.006)


@pytest.mark.parametrize(("r", "low", "high"), [(0.5, 0.45, 0.5), (0.1, 0.16, 0.2)])
def test_two_in_one_switches_between_the_densities_that_quadrature_says(r, low, high):
    for weight, extra in ((r, 1), (1 / r, 0)):  # r and 1/r mirror each other
        weak = np.abs(solve([[low] * 2, [high] * 2], [1, weight], 1).W[:, 0, extra])
        assert weak[0] > 0.5 > weak[1]


def test_dense_loss_of_two_in_one_is_a_twelfth_of_the_smaller_importance_but_at_one():
    """At r = 1 the fact is 0.08325: a ReLU gains 0.1 % on the linear optimum 1/12."""
    r = np.array([0.1, 0.5, 2, 10])
    found = solve(np.ones((4, 2)), np.stack([np.ones(4), r], axis=1), 1).loss
    np.testing.assert_allclose(found, np.minimum(1, r) / 12, rtol=2e-6)
    equal = solve([1.0, 1.0], [1.0, 1.0], 1)
    by_oracle = expected_loss_float64(equal.W, equal.b, 1.0, 1.0)
    assert by_oracle == pytest.approx(0.083254, abs=2e-6)
    assert by_oracle < 1 / 12


def test_transitions_are_first_order_where_branches_cross():
    found = figures.phase_order.compute(fast=True)["crossing"]
    first = found.isel(transition=0)
    expected = {"2→1, r = 0.5": 0.4846, "2→1, r = 1": 0.7064, "3→2, r = 1": 0.5218}
    for cut, where in expected.items():
        assert float(first.sel(cut=cut)) == pytest.approx(where, rel=0.02)
    assert float(first.sel(cut="3→2, density 0.3")) == pytest.approx(1, rel=1e-3)
    pair = found.sel(cut="2→1, density 0.65").values[:2]
    np.testing.assert_allclose(pair, [0.923, 1 / 0.923], rtol=0.02)  # r and 1/r mirror


def test_theorys_triple_point_is_no_triple_point_of_the_optimum():
    r, p = theory.TRIPLE_POINT
    equal = solve([p, p], [1.0, r], 1)
    np.testing.assert_allclose(np.abs(equal.W[0]), 0.905, atol=0.01)  # still antipodal
    assert float(equal.loss) < 0.87 * (p / 3 - p**2 / 4)
