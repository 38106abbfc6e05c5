"""Damped Newton steps on the expected loss, many problems at once.

A problem is a vector of P = M F + F parameters, W row by row and then b; problems lie on the last
axis N of every array, which the CPU vectorises: matrices of this size are too small for LAPACK.
The Hessian is exact up to quadrature, as the moments of `toymodels.exact.moments` chained through
G = WᵀW. Rotations of the hidden space and saddles make it singular or indefinite: it is damped,
and the pivots of its factors L D Lᵀ enter by their size |D|, which is a descent direction.

A step is a few programs, not one: what passes between them is stored, where the compiler, left
alone, computes it again for each of its uses (measured: 3 to 10 times slower).
"""

from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.exact.moments import moments
from toymodels.precision import TINY

# A step may change the parameters by this much (Euclidean), so that starts keep their own basin.
LONGEST_STEP = 0.5

# The damping, as a share of the diagonal: first value, bounds, factors after success and failure.
DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-6, 1e4
EASED, RAISED = 0.15, 6.0

# A problem has converged when the next step promises less than this share of its loss.
PROMISE = 1e-7

# Added where a diagonal or a step may be all zeros, far below what matters.
NOTHING = 1e-20

# Steps between two looks at whether all have converged.
CHECK_EVERY = 4


# Arrays of JAX or numpy: a descent begins with numpy's.
Lanes = Any


class Problem(NamedTuple):
    """What the loss depends on beside the parameters."""

    p_active: Lanes  # [F, N]
    importance: Lanes  # [F, N]


class Expansion(NamedTuple):
    """The loss around a point to second order."""

    loss: jax.Array  # [N]
    gradient: jax.Array  # [P, N]
    hessian: jax.Array  # [P, P, N]


class Descent(NamedTuple):
    """What a step changes."""

    x: Lanes  # [P, N]
    damping: Lanes  # [N]
    around: Expansion
    converged: Lanes  # [N], bool


def expand(x: Lanes, problem: Problem, n_hidden: int, n_nodes: int) -> Expansion:
    """Return loss, gradient and Hessian at `x [P, N]`.

    Two programs, of which the large one does not depend on `n_hidden`.
    """
    W, G, b = _map(x, n_hidden=n_hidden)
    loss, slope, curvature = _by_output(G, b, problem, n_nodes=n_nodes)
    return Expansion(loss, *_chain(W, slope, curvature))


def loss_at(x: Lanes, problem: Problem, n_hidden: int, n_nodes: int) -> jax.Array:
    """Return the loss at `x [P, N]` as the descent sees it, `[N]`, by the program it uses."""
    _, G, b = _map(x, n_hidden=n_hidden)
    return _by_output(G, b, problem, n_nodes=n_nodes)[0]


@partial(jax.jit, static_argnames="n_hidden")
def _map(x: jax.Array, n_hidden: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return W `[M, F, N]`, G = WᵀW `[F, F, N]` and b `[F, N]`."""
    F = x.shape[0] // (n_hidden + 1)
    W = x[: n_hidden * F].reshape(n_hidden, F, -1)
    return W, _sum(W[:, :, None] * W[:, None, :]), x[n_hidden * F :]


@partial(jax.jit, static_argnames="n_nodes")
def _by_output(
    G: jax.Array, b: jax.Array, problem: Problem, n_nodes: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the loss, and each output's derivatives by its row of G and its bias.

    Shapes `[N]`, `[F + 1, F, N]` and `[F + 1, F + 1, F, N]`, the output on the last axis but one.
    """
    F = G.shape[0]
    output, place = np.arange(F), np.arange(F)[:, None]
    feature = (output + place) % F  # of each output at each place
    g, p = G[feature, output], problem.p_active[feature]
    M, B, cut = moments(g, b, p, n_nodes)
    d = jnp.concatenate([g[:1] - 1, g[1:], b[None]])
    slope = _sum(M * d[None], 1)
    loss = _sum(d * slope) + cut
    home = np.full((F + 1, F), F)  # the place of each feature, and of the one
    home[:F] = (place - output) % F
    scale = 2 * problem.importance
    slope = scale[None] * slope[home, output]
    curvature = scale[None, None] * (M - B)[home[:, None], home[None, :], output]
    return _sum(problem.importance * loss), slope, curvature


@jax.jit
def _chain(W: jax.Array, slope: jax.Array, curvature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Turn derivatives by the rows of G and by b into those by the parameters.

    With S = ∂loss/∂G, A_i and v_i the blocks of output i's curvature, U_i = W A_i:
    ∂²/∂W_mk ∂W_nl = δ_kl (U_k Wᵀ)_mn + U_k,ml W_nk + U_l,nk W_ml + Σ_i A_i,kl W_mi W_ni
    + δ_mn (S + Sᵀ)_kl.
    """
    n_hidden, F, N = W.shape
    S = slope[:F] + jnp.swapaxes(slope[:F], 0, 1)  # [F, F, N]
    gradient = jnp.concatenate([_sum(S[None] * W[:, None], 2).reshape(-1, N), slope[F]])
    A, v = curvature[:F, :F], curvature[:F, F]  # [F, F, F output, N], [F, F output, N]
    U = _sum(W[:, :, None, None] * A[None], 1)  # [M, F, F output, N]
    by_own = jnp.swapaxes(U, 1, 2)  # [M, F output, F, N]
    eye_f, eye_m = (jnp.eye(n, dtype=W.dtype)[..., None] for n in (F, n_hidden))
    # Axes of the block of W with W: m, k, n, l.
    cross = by_own[:, :, None, :] * jnp.swapaxes(W, 0, 1)[None, :, :, None]
    own = _sum(U[:, None] * W[None, :, :, None], 2)  # [M, M, F, N]
    block = (
        cross
        + jnp.transpose(cross, (2, 3, 0, 1, 4))
        + jnp.transpose(own, (0, 2, 1, 3))[:, :, :, None] * eye_f[None, :, None]
        + eye_m[:, None, :, None] * S[None, :, None]
    )
    pairs = W[:, None] * W[None]  # [M, M, F, N]
    block += _sum(A[None, :, None, :] * pairs[:, None, :, None], 4)
    # Axes of the block of W with b: m, k, i.
    with_bias = v[None] * W[:, None] + eye_f[None] * _sum(v[None] * W[:, :, None], 1)[:, None]
    size = n_hidden * F
    mixed = with_bias.reshape(size, F, N)
    bias = eye_f * curvature[F, F][None]
    top = jnp.concatenate([block.reshape(size, size, N), mixed], axis=1)
    bottom = jnp.concatenate([jnp.swapaxes(mixed, 0, 1), bias], axis=1)
    return gradient, jnp.concatenate([top, bottom])


@jax.jit
def propose(state: Descent) -> tuple[jax.Array, jax.Array]:
    """Return where the damped step of every problem leads, and how much it promises to gain."""
    _, gradient, hessian = state.around
    diagonal = jnp.abs(jnp.diagonal(hessian).T)  # [P, N]
    size = diagonal + 1e-3 * jnp.max(diagonal, axis=0, keepdims=True) + NOTHING
    move = -solve_by_size(hessian, state.damping[None] * size, gradient)
    promise = -_sum(move * gradient)
    length = jnp.sqrt(_sum(move**2))
    return state.x + move * jnp.minimum(1.0, LONGEST_STEP / (length + NOTHING))[None], promise


@jax.jit
def keep_better(state: Descent, x: jax.Array, around: Expansion, promise: jax.Array) -> Descent:
    """Take the proposed steps that lower the loss."""
    better = around.loss < state.around.loss
    x, around = jax.tree.map(partial(jnp.where, better), (x, around), (state.x, state.around))
    damping = state.damping * jnp.where(better, EASED, RAISED)
    at_rest = promise * (1 + state.damping) <= PROMISE * around.loss
    return Descent(
        x, jnp.maximum(damping, LEAST_DAMPING), around, at_rest | (damping > MOST_DAMPING)
    )


def solve_by_size(hessian: jax.Array, shift: jax.Array, rhs: jax.Array) -> jax.Array:
    """Solve L |D| Lᵀ y = rhs, where L D Lᵀ is the Hessian with `shift [P, N]` on its diagonal."""
    P = rhs.shape[0]
    below = jnp.tri(P, k=-1, dtype=bool)[..., None]  # [P row, P column, 1]

    def eliminate(j: int, carry: tuple) -> tuple:
        rest, rhs, factors, sizes = carry
        row, least = rest[j], 1e-2 * shift[j] + TINY
        pivot = jnp.where(jnp.abs(row[j]) < least, jnp.copysign(least, row[j]), row[j])
        column = jnp.where(below[:, j], row / pivot[None], 0)
        rest = rest - column[:, None] * row[None]
        return rest, rhs - column * rhs[j][None], factors.at[j].set(column), sizes.at[j].set(pivot)

    def substitute(k: int, solution: jax.Array) -> jax.Array:
        j = P - 1 - k
        return solution.at[j].add(-_sum(factors[j] * solution))

    carry = (
        hessian + jnp.eye(P, dtype=rhs.dtype)[..., None] * shift[None],
        rhs,
        jnp.zeros_like(hessian),
        rhs,
    )
    _, rhs, factors, sizes = jax.lax.fori_loop(0, P, eliminate, carry)
    return jax.lax.fori_loop(0, P, substitute, rhs / jnp.abs(sizes))


def _sum(values: jax.Array, axis: int = 0) -> jax.Array:
    parts = (
        jax.lax.index_in_dim(values, k, axis, keepdims=False) for k in range(values.shape[axis])
    )
    return reduce(jnp.add, parts)


def begin(x: Lanes, problem: Problem, *, n_hidden: int, n_nodes: int) -> Descent:
    """Return the state of a descent that is still where it starts, `x [P, N]`."""
    around, n = expand(x, problem, n_hidden, n_nodes), x.shape[1]
    return Descent(x, np.full(n, DAMPING, np.float32), around, np.zeros(n, bool))


def advance(
    state: Descent, problem: Problem, n_steps: int, *, n_hidden: int, n_nodes: int
) -> Descent:
    """Take `n_steps` steps; what a lane does depends on no other lane."""
    for _ in range(n_steps):
        proposed, promise = propose(state)
        around = expand(proposed, problem, n_hidden, n_nodes)
        state = keep_better(state, proposed, around, promise)
    return state


def descend(
    x: jax.Array, problem: Problem, n_steps: int, *, n_hidden: int, n_nodes: int
) -> Descent:
    """Take up to `n_steps` steps from `x [P, N]`, fewer where all problems have converged."""
    sizes = {"n_hidden": n_hidden, "n_nodes": n_nodes}
    state = begin(x, problem, **sizes)
    for first in range(0, n_steps, CHECK_EVERY):
        state = advance(state, problem, min(CHECK_EVERY, n_steps - first), **sizes)
        if bool(np.all(state.converged)):
            break
    return state
