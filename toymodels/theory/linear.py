"""The limit of a linear model: what a best tied autoencoder without ReLU keeps, and loses.

Notation: W is [M hidden, F features], y = Wᵀ W x + b; features are independent, active with
probability p_active and then uniform on [0, 1]. Plain numpy in float64.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.checks import Floats, count, density, importances, number
from toymodels.features.correlated import require_sets
from toymodels.theory.phases import loss_drop_other


class LinearLimit(NamedTuple):
    """An optimum of the linear model and its expected loss."""

    W: Floats  # [M, F]
    b: Floats  # [F]
    loss: float  # summed over features, weighted by importance


def linear_limit(
    n_features: int, n_hidden: int, importance: npt.ArrayLike, p_active: npt.ArrayLike
) -> LinearLimit:
    """Return a best tied linear model y = Wᵀ W x + b for independent features.

    It keeps the `n_hidden` features with the largest I_i Var(x_i), Var = p/3 - p^2/4: unit columns
    along the hidden axes, b = 0 on them and b = E[x] = p/2 on the dropped ones. The loss is the
    sum of I_i Var(x_i) over the dropped.

    Why this is the global optimum, also among untied models: with the best b the loss is
    ||D^1/2 (1 - A) V^1/2||_F^2, where A = Wᵀ W, D = diag(I), V = diag(Var), and D^1/2 A V^1/2
    has rank <= m; by Eckart-Young no such matrix is nearer to diag(sqrt(I_i Var_i)) than its
    largest m entries. It needs a diagonal covariance: correlated features have another optimum.
    The optimum is unique up to a rotation of the hidden space where the m-th and the next
    I_i Var(x_i) differ; of equal features the first is kept.

    Args:
        n_features: F, at least 1.
        n_hidden: M, at least 1.
        importance: a number or [F].
        p_active: densities, a number or [F].

    Raises:
        InputError: a size below 1, an importance that is negative or not finite, a density outside
            [0, 1], or a shape other than () and [F].

    Source: Elhage et al. 2022, "Demonstrating Superposition" (linear model; like PCA).
    """
    n_features, n_hidden = count("n_features", n_features), count("n_hidden", n_hidden)
    weight, p = (
        np.full(n_features, np.asarray(values, np.float64))
        for values in (importances(importance, n_features), density(p_active, n_features))
    )
    weighted_variance = weight * loss_drop_other(p)
    order = np.argsort(-weighted_variance, kind="stable")
    kept, dropped = np.sort(order[:n_hidden]), order[n_hidden:]
    W = np.zeros((n_hidden, n_features))
    W[np.arange(kept.size), kept] = 1
    b = p / 2
    b[kept] = 0
    return LinearLimit(W, b, float(np.sum(weighted_variance[dropped])))


def linear_loss_in_sets(n_features: int, n_hidden: int, n_sets: int, p_active: float) -> float:
    """Return the least expected loss of a linear model, PCA, where sets are active together.

    Features of a set have the covariance p (1 − p) / 4 and the variance p/3 − p²/4: the principal
    components are the mean of each set and, of variance p/12, what is orthogonal to it. The loss is
    the variance of those that do not fit, summed over features of importance 1.

    Args:
        n_features: F, at least 1.
        n_hidden: M, at least 1.
        n_sets: G, sets of F / G features.
        p_active: density of a set.

    Raises:
        InputError: a size below 1, sets that cannot be equally large, or a density outside [0, 1].
    """
    n_features, n_hidden = count("n_features", n_features), count("n_hidden", n_hidden)
    n_sets, p = count("n_sets", n_sets), number("p_active", p_active, 0, 1)
    require_sets(n_features, n_sets)
    size = n_features // n_sets
    covariance = p * (1 - p) / 4
    of_set = [loss_drop_other(p) + (size - 1) * covariance, *[p / 12] * (size - 1)]
    return float(np.sum(np.sort(of_set * n_sets)[: max(0, n_features - n_hidden)]))
