"""What the schematics show, computed: vectors, projections, fates, and one network run by another.

W is [M hidden, F features]; losses are summed over features and known without sampling.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls

from toymodels.exact.oracle import expected_loss_float64
from toymodels.models import ReluAutoencoder
from toymodels.models.absolute_value import AbsoluteValueModel
from toymodels.models.hidden_relu import HiddenReluAutoencoder
from toymodels.theory import PHASES_2_1

Floats = NDArray[np.float64]

RESPONDS = 0.1  # a neuron responds to a feature from this weight on
POINTS = 64  # of a midpoint rule, for each of two features
# Where a descent starts for each fate of the second of two features in one dimension.
FATE_STARTS = {
    "not represented": ((1.0, 0.0), (0.0, 0.3)),
    "dedicated": ((0.0, 1.0), (0.3, 0.0)),
    "antipodal": ((1.0, -1.0), (0.0, 0.0)),
}
SEARCH = {"xatol": 1e-4, "fatol": 1e-9, "maxiter": 2000}


class Solved(NamedTuple):
    """A model and its loss."""

    W: Floats  # [M, F]
    b: Floats  # [F]
    loss: float


class Twins(NamedTuple):
    """Two different sparse inputs that the hidden layer hardly tells apart."""

    x: Floats  # [2, F]
    distance: float  # of their hidden vectors


def scaled(corners: Floats, p_active: float) -> Solved:
    """Return the best model whose columns are corners of one length, with one bias."""
    n = corners.shape[1]

    def loss(at: Floats) -> float:
        return expected_loss_float64(at[0] * corners, np.full(n, at[1]), p_active, 1.0)

    found = minimize(loss, (1.1, -0.1), method="Nelder-Mead", options=SEARCH)
    return Solved(found.x[0] * corners, np.full(n, found.x[1]), float(found.fun))


def turned(W: Floats, degrees: float) -> Floats:
    """Return `W [2, F]` turned to the left."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin], [sin, cos]]) @ W


def lost_when_turned(degrees: Floats, p_active: float) -> Floats:
    """Return the share of E|x|² that two features in two neurons lose, `[2, angle]`.

    First with a ReLU on the hidden layer, then without; by the midpoint rule.
    """
    u = (np.arange(POINTS) + 0.5) / POINTS
    both = np.stack(np.meshgrid(u, u), axis=-1).reshape(-1, 2)
    alone = np.concatenate([np.outer(u, [1, 0]), np.outer(u, [0, 1])])
    lost = []
    for kind in (HiddenReluAutoencoder, ReluAutoencoder):
        for angle in degrees:
            run = jax.vmap(kind(W=jnp.asarray(turned(np.eye(2), angle)), b=jnp.zeros(2)))
            errors = [
                np.sum((x - np.asarray(run(jnp.asarray(x)))) ** 2, axis=-1) for x in (both, alone)
            ]
            one = 2 * p_active * (1 - p_active) * errors[1].mean()
            lost.append((p_active**2 * errors[0].mean() + one) / (2 * p_active / 3))
    return np.reshape(lost, (2, len(degrees)))


def outputs(W: Floats, b: Floats, x: Floats) -> Floats:
    """Return `y = ReLU(Wᵀ W x + b)` for inputs `[…, F]`."""
    return np.maximum(x @ W.T @ W + b, 0)


def n_features_of(W: Floats) -> NDArray[np.int64]:
    """Return to how many features each neuron responds, `[M]`."""
    return np.sum(np.abs(W) > RESPONDS, axis=1)


def twins(W: Floats) -> Twins:
    """Find one feature and two others, all at values up to 1, with the nearest hidden vectors."""
    n, best = W.shape[1], Twins(np.zeros((2, W.shape[1])), np.inf)
    for one in range(n):
        for two in ((j, k) for j in range(n) for k in range(j) if one not in (j, k)):
            values = nnls(W[:, two], W[:, one])[0]
            if min(values) <= 0:
                continue
            x = np.zeros((2, n))
            x[0, one], x[1, list(two)] = 1, values
            x /= x.max()
            distance = float(np.linalg.norm(W @ (x[0] - x[1])))
            if distance < best.distance - 1e-9:
                best = Twins(x, distance)
    return best


def fate(p_active: float, importance: float) -> tuple[Solved, str]:
    """Return the optimum of two features in one dimension, and what became of the second."""
    weight, found = np.array([1.0, importance]), []

    def loss(at: Floats) -> float:
        return expected_loss_float64(at[None, :2], at[2:], p_active, weight)

    for W, b in FATE_STARTS.values():
        end = minimize(loss, (*W, *b), method="Nelder-Mead", options=SEARCH)
        found.append(Solved(end.x[None, :2], end.x[2:], float(end.fun)))
    best = min(found, key=lambda solved: solved.loss)
    held = np.abs(best.W[0]) > 0.5
    return best, PHASES_2_1[0 if not held[1] else 2 if held[0] else 1]


def directions(rng: np.random.Generator, n_neurons: int, n_features: int) -> Floats:
    """Return random unit vectors, `[M, F]`."""
    W = rng.normal(size=(n_neurons, n_features))
    return W / np.linalg.norm(W, axis=0)


def share_found(rng: np.random.Generator, W: Floats, n_on: int, n_samples: int) -> float:
    """Return how often the features that read out strongest are those that are on."""
    order = rng.random((n_samples, W.shape[1])).argsort(axis=1)
    x = np.zeros(order.shape)
    np.put_along_axis(x, order[:, :n_on], 1.0, axis=1)
    read = x @ (W.T @ W)
    weakest_on = np.where(x > 0, read, np.inf).min(axis=1)
    return float(np.mean(weakest_on > np.where(x > 0, -np.inf, read).max(axis=1)))


def ideal_absolute_value(n_features: int) -> AbsoluteValueModel:
    """Return the model that computes |x| with two neurons for each feature."""
    eye = jnp.eye(n_features)
    W, V = jnp.concatenate([eye, -eye]), jnp.concatenate([eye, eye], axis=1)
    return AbsoluteValueModel(W=W, V=V, b=jnp.zeros(n_features))


def largest_error(model: AbsoluteValueModel, n_features: int) -> float:
    """Return the largest error of |x| over a lattice that holds every orthant's corners."""
    ticks = np.linspace(-1, 1, 5)
    x = np.stack(np.meshgrid(*[ticks] * n_features), axis=-1).reshape(-1, n_features)
    return float(np.abs(np.asarray(jax.vmap(model)(jnp.asarray(x))) - np.abs(x)).max())
