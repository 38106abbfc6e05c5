"""What is known of a model's problem: its own loss without sampling, and the least one that is.

The problem is that of Elhage et al. 2022, "Demonstrating Superposition": independent features,
uniform on [0, 1] with probability `p_active` and else 0, errors weighted by `importance` and summed
over features.

Up to six features the best known solution is the solver's; above, the best end point of descents
from tilings of the space by known shapes, from random weights, and from what is given. Neither
is proven to be the optimum.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from toymodels.exact.expected import LARGEST_F, expected_loss_of_map
from toymodels.exact.fourier import expected_loss_fourier, expected_loss_of_map_fourier
from toymodels.exact.solver import solve
from toymodels.exact.starts import DISTURBANCE, random_starts
from toymodels.models.base import has_map
from toymodels.profiles import PerFeature, density, weights
from toymodels.theory.linear import linear_limit
from toymodels.theory.shapes import Shape, polygon, simplex

LARGEST_FOURIER = 512  # features: the series takes 8 F² K bytes, and as many seconds as it has 10⁸
LARGEST_DESCENT = 64  # features of which descents end in well under a minute
RANDOM_STARTS = 4
LIMITS = {"maxiter": 400, "ftol": 1e-7, "gtol": 1e-7}  # of one descent, in float32
TILES = (simplex(1), simplex(2), simplex(3), simplex(4), polygon(5))


class Loss(NamedTuple):
    """A loss, and how it was computed."""

    value: float  # summed over features
    how: str


class Known(NamedTuple):
    """A solution that nothing better is known than, and where it comes from."""

    W: npt.NDArray[Any]  # [M, F]
    b: npt.NDArray[Any]  # [F]
    loss: float
    how: str


def loss_of(model: Any, p_active: PerFeature, importance: PerFeature) -> Loss | None:
    """Return the expected loss of a model, None where it is not known without samples.

    Known are `y = ReLU(G x + b)` of up to 512 features, and `y = G x + b`.

    Raises:
        InputError: a density outside [0, 1], a negative importance, or another number of features.
    """
    n = model.W.shape[1]
    p, weight = density(p_active, n), weights(importance, n)
    if has_map(model, "linear_map"):
        G, b = (np.asarray(a, float) for a in model.linear_map())
        left, mean = np.eye(n) - G, p.astype(float) / 2
        variance = p.astype(float) / 3 - mean**2
        each = left**2 @ variance + (left @ mean - b) ** 2
        return Loss(float(weight @ each), "in closed form")
    if not has_map(model, "relu_map") or n > LARGEST_FOURIER:
        return None
    G, b = model.relu_map()
    if n <= LARGEST_F:
        each = expected_loss_of_map(G, b, p, weight)
        return Loss(float(jnp.sum(each)), "exact")
    each = expected_loss_of_map_fourier(jnp.asarray(G), jnp.asarray(b), p, weight)
    return Loss(float(jnp.sum(each)), "by Fourier series")


def best_known(
    p_active: PerFeature,
    importance: PerFeature,
    size: tuple[int, int],
    *,
    linear: bool = False,
    starts: Sequence[tuple[Any, Any]] = (),
    seed: int = 0,
) -> Known | None:
    """Return the best solution known of a problem, among tied models `[M, F]` of one size.

    Args:
        p_active: density, a number or [F].
        importance: a number or [F].
        size: M and F.
        linear: whether the models have no ReLU.
        starts: more of W and b to descend from, above six features.
        seed: of random starts.

    Returns:
        The solution; None where none is known: above 64 features, unless M >= F.

    Raises:
        InputError: as `loss_of`.
    """
    M, n = size
    p, weight = density(p_active, n), weights(importance, n)
    if n <= M:
        return Known(np.eye(M, n), np.zeros(n), 0.0, "a dimension for every feature")
    if linear:
        limit = linear_limit(n, M, weight, p)
        return Known(limit.W, limit.b, limit.loss, "the optimum of linear models, proven")
    if n <= LARGEST_F:
        found = solve(p, weight, M, seed=seed)
        loss = float(jnp.sum(expected_loss_of_map(found.W.T @ found.W, found.b, p, weight)))
        how = f"where {int(found.n_agree)} of {found.n_starts} starts of the solver end"
        return Known(found.W, found.b, loss, how)
    if n > LARGEST_DESCENT:
        return None
    return _least([*starts, *_tilings(p, weight, M), *_random(n, M, seed)], p, weight)


def _least(starts: Sequence[tuple[Any, Any]], p: Any, importance: Any) -> Known:
    """Return the best end point of descents of the Fourier loss."""
    M, n = starts[0][0].shape
    compiled = jax.jit(jax.value_and_grad(partial(_flat_loss, shape=(M, n))))

    def loss(x: npt.NDArray[Any]) -> tuple[float, npt.NDArray[Any]]:
        value, slope = compiled(x.astype(np.float32), p, importance)
        return float(value), np.asarray(slope, float)

    ends = []
    for W, b in starts:
        x = np.concatenate([np.ravel(W), b])
        ends.append(minimize(loss, x, jac=True, method="L-BFGS-B", options=LIMITS))
    best = min(ends, key=lambda end: float(end.fun))
    x = np.asarray(best.x, np.float32)
    how = f"the best end of {len(ends)} descents"
    return Known(x[: M * n].reshape(M, n), x[M * n :], float(best.fun), how)


def _flat_loss(x: jax.Array, p: jax.Array, importance: jax.Array, shape: tuple[int, int]) -> Any:
    W, b = x[: shape[0] * shape[1]].reshape(shape), x[shape[0] * shape[1] :]
    return expected_loss_fourier(W, b, p, importance)


def _tilings(p: Any, importance: Any, n_hidden: int) -> Iterator[tuple[Any, Any]]:
    """Yield W and b that fill the dimensions with one shape, the weightiest features first.

    What is left of the dimensions has one feature each; features without a place are answered by
    their mean.
    """
    order = np.argsort(-importance * (p / 3 - p**2 / 4), kind="stable")
    rng = np.random.default_rng(0)
    for shape in TILES:
        W, placed = _tiled(shape, n_hidden, order)
        b = np.where(np.isin(np.arange(p.size), placed), 0, p / 2)
        yield W + DISTURBANCE * rng.normal(size=W.shape), b


def _tiled(shape: Shape, n_hidden: int, order: Any) -> tuple[Any, list[int]]:
    """Lay a shape into the dimensions as often as it goes, and before it single features."""
    n_shapes, n_single = divmod(n_hidden, shape.n_dimensions)
    W, left, row = np.zeros((n_hidden, order.size)), list(order), 0
    for corners in [simplex(1).corners()] * n_single + [shape.corners()] * n_shapes:
        features, left = left[: corners.shape[1]], left[corners.shape[1] :]
        W[row : row + len(corners), features] = corners[:, : len(features)]
        row += len(corners)
    return W, [i for i in order if i not in left]


def _random(n_features: int, n_hidden: int, seed: int) -> list[tuple[Any, Any]]:
    return list(zip(*random_starts(RANDOM_STARTS, n_features, n_hidden, seed), strict=True))
