"""Check the solver: known optima, its derivatives, what must hold of any minimum, its errors."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from toymodels.exact import newton
from toymodels.exact.end_points import choose
from toymodels.exact.expected import expected_loss
from toymodels.exact.search import EFFORT
from toymodels.exact.solver import solve
from toymodels.exact.starts import arrangements

pytestmark = pytest.mark.claims  # many seconds of compiling


def cells(points, n_features):
    """Return p_active and importance `[C, F]` of pairs (density, importance of the last)."""
    p, r = np.array(points, np.float64).T
    importance = np.ones((len(p), n_features))
    importance[:, -1] = r
    return np.repeat(p[:, None], n_features, axis=1), importance


def grid(n, n_features):
    p, r = np.meshgrid(np.geomspace(0.02, 1, n), np.geomspace(0.1, 10, n), indexing="ij")
    p, importance = cells(np.stack([p.ravel(), r.ravel()], 1), n_features)
    return p.reshape(n, n, -1), importance.reshape(n, n, -1)


@pytest.mark.parametrize(("n_features", "n_hidden"), [(2, 1), (3, 2)])
def test_loss_and_derivatives_are_those_of_the_expected_loss(n_features, n_hidden):
    rng = np.random.default_rng(1)
    size, n = n_hidden * n_features, EFFORT[n_features].width
    x = np.concatenate([rng.normal(size=(size, n)) * 0.8, 0.2 * rng.normal(size=(n_features, n))])
    x = x.astype(np.float32)
    p = rng.uniform(0.05, 0.9, size=(n_features, n)).astype(np.float32)
    weight = rng.uniform(0.2, 2, size=(n_features, n)).astype(np.float32)
    got = newton.expand(x, newton.Problem(p, weight), n_hidden, EFFORT[n_features].n_nodes)

    def loss(x, p, weight):
        return expected_loss(x[:size].reshape(n_hidden, n_features), x[size:], p, weight)

    both = jax.jit(jax.vmap(jax.value_and_grad(loss), in_axes=-1, out_axes=-1))
    value, slope = both(x, p, weight)
    np.testing.assert_allclose(got.loss, value, rtol=3e-4)
    np.testing.assert_allclose(got.gradient, slope, atol=1e-2)
    assert np.median(np.abs(got.gradient - slope)) < 1e-5
    assert np.median(np.abs(got.loss / value - 1)) < 2e-6


@pytest.mark.parametrize("n_features", [2, 3])
def test_hessian_is_the_slope_of_the_gradient(n_features):
    rng = np.random.default_rng(2)
    size, n, h = 2 * n_features, EFFORT[n_features].width, 1e-2
    problem = newton.Problem(*np.full((2, n_features, n), 0.7, np.float32))
    x, move = rng.normal(size=(2, size, n)).astype(np.float32) * 0.7
    at = [
        newton.expand(x + by * h * move, problem, 1, EFFORT[n_features].n_nodes)
        for by in (1, 0, -1)
    ]
    slope = (at[0].gradient - at[2].gradient) / (2 * h)
    predicted = np.einsum("abn,bn->an", at[1].hessian, move)
    error = np.abs(slope - predicted)
    assert np.median(error) < 1e-3 and np.median(np.abs(predicted)) > 0.1


def test_optima_of_2_in_1_are_the_known_ones():
    p, importance = cells([(0.45, 0.5), (0.5, 0.5), (0.16, 0.1), (0.2, 0.1)], 2)
    got = solve(p, importance, 1)
    W = got.W[:, 0] * np.sign(got.W[:, 0, :1])
    np.testing.assert_allclose(W[[0, 1, 3]], [[1.04, -0.84], [1, 0], [1, 0]], atol=0.006)
    assert W[2, 1] < -0.7
    p, importance = cells([(0.3, 1), (0.5, 1), (0.6, 1), (0.7, 1)], 2)
    got = solve(p, importance, 1)
    np.testing.assert_allclose(np.abs(got.W[:, 0, 0]), [1.01, 0.97, 0.87, 0.76], atol=0.006)
    np.testing.assert_allclose(got.W[:, 0, 1], -got.W[:, 0, 0], atol=2e-3)
    np.testing.assert_allclose(got.b[2:], [[0.22, 0.22], [0.33, 0.33]], atol=0.006)


def test_mirrored_importance_mirrors_the_solution():
    p, importance = cells([(0.45, 0.5), (0.5, 0.5), (0.45, 2), (0.5, 2)], 2)
    got = solve(p, importance, 1)
    norms = np.abs(got.W[:, 0])
    np.testing.assert_allclose(norms[2:], norms[:2, ::-1], atol=2e-3)
    np.testing.assert_allclose(got.loss[2:], 2 * got.loss[:2], rtol=1e-5)


def test_dense_optimum_is_a_twelfth_of_the_smaller_importance():
    for n_features in (2, 3):
        p, importance = cells([(1, 0.1), (1, 1), (1, 4)], n_features)
        got = solve(p, importance, n_features - 1)
        # At r = 1 a cut far out in the corner is worth a little: 0.1% for 2 in 1.
        np.testing.assert_allclose(got.loss, [1 / 120, 1 / 12, 1 / 12], rtol=3e-3)
        assert np.all(got.loss <= np.array([1 / 120, 1 / 12, 1 / 12]) * (1 + 1e-5))


@pytest.mark.parametrize(("n_features", "n_hidden"), [(2, 1), (3, 1), (3, 2)])
def test_no_known_arrangement_is_better_than_the_solution(n_features, n_hidden):
    p, importance = grid(4, n_features)
    got = solve(p, importance, n_hidden, n_starts=8)
    assert got.largest_difference < 3e-4
    value = jax.jit(jax.vmap(jax.vmap(expected_loss, in_axes=(None, 0, 0, 0)), (None, 0, 0, 0)))
    p, importance = p.astype(np.float32), importance.astype(np.float32)
    for a in arrangements(n_features, n_hidden):
        known = value(a.W, a.bias(p), p, importance)
        assert np.all(got.loss <= known * (1 + 1e-5)), a.name


def test_permuted_features_have_the_permuted_solution():
    p, importance = np.array([0.3, 0.1, 0.25]), np.array([1.0, 2.0, 0.5])
    order = np.array([2, 0, 1])
    got, moved = solve(p, importance, 2), solve(p[order], importance[order], 2)
    assert moved.loss == pytest.approx(float(got.loss), rel=1e-5)
    G, H = (a.W.T @ a.W for a in (got, moved))
    np.testing.assert_allclose(H, G[np.ix_(order, order)], atol=3e-3)
    np.testing.assert_allclose(moved.b, got.b[order], atol=3e-3)


def test_runner_up_is_another_solution_of_higher_loss():
    p, importance = cells([(0.44, 0.5), (0.2, 1.0)], 2)
    got = solve(p, importance, 1)
    assert np.all(got.runner_up_loss > got.loss)
    np.testing.assert_allclose(np.abs(got.runner_up_W[0, 0]), [1.02, 0.19], atol=0.02)
    np.testing.assert_array_equal(got.n_starts, 7)
    assert np.all(got.n_agree > 1)
    assert np.all(got.start_losses.min(-1) <= got.loss * (1 + 1e-4))


def test_all_starts_may_be_one_solution():
    W = np.zeros((1, 3, 1, 2), np.float32) + np.array([1.0, -1.0], np.float32)
    losses, ones = np.ones((1, 3)), np.ones((1, 2))
    choice = choose(W, np.zeros((1, 3, 2)), losses, ones, ones)
    assert (choice.runner_up[0], choice.n_agree[0]) == (-1, 3)
    p, importance = cells([(0.3, 1.0)], 2)
    got = solve(p, importance, 1, starts=(W, np.zeros((1, 3, 2))))
    assert np.isnan(got.runner_up_loss[0])
    assert np.all(np.isnan(got.runner_up_W[0]))


def test_rotations_and_exchanges_of_equal_features_are_one_solution():
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(2, 4)), rng.normal(size=4)
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    order, wrong = [1, 2, 0, 3], [3, 1, 2, 0]
    Ws = np.stack([W, turn @ W[:, order], W[:, wrong]])[None]
    bs = np.stack([b, b[order], b[wrong]])[None]
    importance = np.array([[1.0, 1, 1, 3]])
    choice = choose(Ws, bs, np.array([[1.0, 1.1, 1.2]]), np.ones((1, 4)), importance)
    assert (choice.best[0], choice.runner_up[0]) == (0, 2)


def test_empty_worlds_and_zero_importance_are_finite():
    p, importance = cells([(0.0, 1.0), (0.3, 0.0), (0.0, 0.0), (1.0, 0.0)], 3)
    got = solve(p, importance, 2)
    np.testing.assert_allclose(got.loss, 0, atol=1e-7)
    assert np.all(np.isfinite(got.W)) and np.all(np.isfinite(got.b))
    assert np.isfinite(got.largest_difference)


def test_pentagon_gives_way_to_digons_at_about_a_quarter_of_the_density():
    p = np.full((2, 5), 0.05)
    p[:, -1] *= (0.26, 0.28)
    got = solve(p, 1.0, 2)
    extra = np.linalg.norm(got.W[..., -1], axis=-1)
    assert extra[0] < 0.1 and extra[1] > 1
    # Sums over 5 features, of our reference's means × 1e5: digon 120.0, pentagon 122.8 or less.
    assert got.loss[0] / 5e-5 == pytest.approx(120.0, rel=0.01)
    assert got.loss[1] / 5e-5 == pytest.approx(122.8, rel=0.01)


def test_a_cell_does_not_depend_on_its_grid_and_shapes_share_one_program():
    p, importance = grid(5, 2)
    whole = solve(p, importance, 1)
    programs = newton._by_output._cache_size()
    done = []
    part = solve(p[1:3, 2], importance[1:3, 2], 1, on_cells=done.append)
    alone = solve(p[1, 2], importance[1, 2], 1)
    assert newton._by_output._cache_size() == programs
    assert sum(done) == 2
    for got, wanted in ((part, (slice(1, 3), 2)), (alone, (1, 2))):
        np.testing.assert_array_equal(got.loss, whole.loss[wanted])
        np.testing.assert_array_equal(got.W, whole.W[wanted])
    assert alone.loss.shape == () and alone.W.shape == (1, 2)


def test_losses_scale_with_importance_however_small_or_large():
    p, importance = cells([(0.3, 0.5), (0.1, 2.0)], 2)
    wanted = solve(p, importance, 1)
    for by in (2.0**-100, 2.0**100):
        got = solve(p, importance * by, 1)
        np.testing.assert_array_equal(got.W, wanted.W)
        for name in ("loss", "loss_per_feature", "runner_up_loss", "start_losses"):
            np.testing.assert_array_equal(getattr(got, name), by * getattr(wanted, name))


X64 = """
import numpy as np
from toymodels.exact import solve
for F, M in ((2, 1), (3, 2)):
    found = solve([[0.3] * F, [0.05] * F], [1.0] * (F - 1) + [0.5], M)
    assert found.W.dtype == found.loss.dtype == np.float32
    print(*found.loss)
"""


def test_with_64_bits_in_jax_the_same_optima_are_found():
    env = os.environ | {"JAX_ENABLE_X64": "1"}
    done = subprocess.run(
        [sys.executable, "-c", X64], env=env, capture_output=True, text=True, check=True
    )
    for line, (F, M) in zip(done.stdout.splitlines(), ((2, 1), (3, 2)), strict=True):
        wanted = solve([[0.3] * F, [0.05] * F], [1.0] * (F - 1) + [0.5], M)
        np.testing.assert_allclose([float(n) for n in line.split()], wanted.loss, rtol=1e-5)
