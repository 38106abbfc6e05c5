"""Follow one arrangement through parameter space, past the point where another one is better.

A branch is a local minimum of the expected loss, kept by continuation: each point starts from the
solution of the one before, a little shaken so that a saddle is left and not mistaken for a
minimum. Two branches that cross are a first-order transition; the stretch behind the crossing is
metastable, and it ends where the minimum disappears. Slopes come from the envelope theorem: at a
minimum, dL/dθ is the partial derivative at fixed weights.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from toymodels.checks import checked_density, checked_importance, count, finite, floats
from toymodels.errors import InputError
from toymodels.exact.expected import expected_loss
from toymodels.exact.newton import Problem, descend

SHAKE = 1e-3
N_ITERATIONS = 80
N_NODES = 6
WIDTH = 64  # points that are valued together


class Branch(NamedTuple):
    """A followed minimum: K points in order, C branches side by side."""

    W: npt.NDArray[np.float32]  # [K, C, M, F]
    b: npt.NDArray[np.float32]  # [K, C, F]
    loss: npt.NDArray[np.float32]  # [K, C], by `expected_loss`


def follow(
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    p_active: npt.ArrayLike,
    importance: npt.ArrayLike,
    seed: int = 0,
) -> Branch:
    """Follow minima along K points, C side by side.

    Args:
        W: where they start, `[M, F]` for all or `[C, M, F]`.
        b: their biases, `[F]` or `[C, F]`.
        p_active: densities, `[K, C, F]`.
        importance: `[K, C, F]`.
        seed: of the shaking.

    Raises:
        InputError: densities or importances out of range or of another shape, or starts that are
            not finite or of another number of features or branches.
    """
    p, weight = _points(p_active, importance)
    K, C, F = p.shape
    W, b = finite("W", W).astype(np.float32), finite("b", b).astype(np.float32)
    M = W.shape[-2] if W.ndim > 1 else 0
    if W.shape not in ((M, F), (C, M, F)) or b.shape not in ((F,), (C, F)) or M < 1:
        raise InputError(
            f"W has shape {W.shape} and b {b.shape}: for {C} branches of {F} features give W as "
            f"[M, {F}] or [{C}, M, {F}], and b as [{F}] or [{C}, {F}]."
        )
    W, b = np.broadcast_to(W, (C, M, F)), np.broadcast_to(b, (C, F))
    x = jnp.asarray(np.concatenate([W.reshape(C, -1), b], axis=1).T)
    points = []
    for k in range(K):
        shake = SHAKE * jax.random.normal(jax.random.fold_in(jax.random.key(seed), k), x.shape)
        problem = Problem(p[k].T, weight[k].T)
        x = descend(x + shake, problem, N_ITERATIONS, n_hidden=M, n_nodes=N_NODES).x
        points.append(x.T)
    whole = jnp.stack(points)  # [K, C, P]
    W, b = np.asarray(whole[..., : M * F]).reshape(K, C, M, F), np.asarray(whole[..., M * F :])
    return Branch(W, b, _over_points(_loss, (W, b, p, weight)))


def slope(
    branch: Branch, p_active: npt.ArrayLike, importance: npt.ArrayLike
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return ∂L/∂p_active and ∂L/∂importance along a branch, each `[K, C, F]`.

    Args:
        branch: of `follow` at the same densities and importances.
        p_active: densities, `[K, C, F]`.
        importance: `[K, C, F]`.

    Raises:
        InputError: densities or importances out of range, or of another shape than the branch.
    """
    p, weight = _points(p_active, importance)
    if branch.b.shape != p.shape:
        raise InputError(
            f"the branch has biases of shape {branch.b.shape}, but p_active {p.shape}: give the "
            "densities that it was followed along."
        )
    return _over_points(_slopes, (branch.W, branch.b, p, weight))


def _points(p_active: npt.ArrayLike, importance: npt.ArrayLike) -> tuple[jax.Array, jax.Array]:
    """Return both as float32 `[K, C, F]`, or raise InputError."""
    p, weight = checked_density(p_active), checked_importance(importance, "importance")
    if p.ndim != 3 or p.shape != weight.shape or 0 in p.shape:
        raise InputError(
            f"p_active has shape {p.shape} and importance {weight.shape}: give both as "
            "[points, branches, features], with one branch as [K, 1, F]."
        )
    return jnp.asarray(p, jnp.float32), jnp.asarray(weight, jnp.float32)


def crossing(
    difference: Callable[[npt.NDArray], npt.NDArray],
    low: npt.NDArray,
    high: npt.NDArray,
    n_halvings: int = 14,
) -> npt.NDArray[np.float64]:
    """Return where `difference(t)` changes sign between `low` and `high`, all `[C]`, by halving.

    The halves are equal in the logarithm. NaN where the ends have the same sign, or are NaN.

    Raises:
        InputError: ends of different shapes or not above 0, or a number of halvings below 1.
    """
    low, high, n_halvings = (
        floats("low", low),
        floats("high", high),
        count("n_halvings", n_halvings),
    )
    if low.shape != high.shape or np.any(low <= 0) or np.any(high <= 0):
        raise InputError(
            f"low has shape {low.shape} and high {high.shape}: give one shape, and numbers above "
            "0, as steps are halved in the logarithm."
        )
    at_low = np.asarray(difference(low)) > 0
    same = at_low == (np.asarray(difference(high)) > 0)
    for _ in range(n_halvings):
        middle = np.sqrt(low * high)
        as_low = (np.asarray(difference(middle)) > 0) == at_low
        low, high = np.where(as_low, middle, low), np.where(as_low, high, middle)
    return np.where(same, np.nan, np.sqrt(low * high))


_loss = jax.jit(jax.vmap(expected_loss))
_slopes = jax.jit(jax.vmap(partial(jax.grad, argnums=(2, 3))(expected_loss)))


def _over_points(f: Callable[..., Any], arrays: tuple[Any, ...]) -> Any:
    """Apply `f` to every point of `[K, C, …]` arrays, in blocks of one width: it compiles once."""
    K, C = np.shape(arrays[0])[:2]
    n, flat = K * C, [np.asarray(a).reshape(K * C, *np.shape(a)[2:]) for a in arrays]
    index = np.minimum(np.arange(-(-n // WIDTH) * WIDTH), n - 1).reshape(-1, WIDTH)
    parts = [f(*(a[i] for a in flat)) for i in index]
    return jax.tree.map(lambda *p: np.concatenate(p)[:n].reshape(K, C, *p[0].shape[1:]), *parts)
