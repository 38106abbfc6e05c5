"""State the closed forms: phase losses and boundaries, the linear limit, ideal polytopes.

These are the oracles of the tests and the curves of the theory figures. They are plain numpy in
float64 and broadcast over their arguments; scalars in give scalars out.

Notation: s = p_active is the density of every feature (probability of being active, x uniform on
[0, 1] when active, features independent); r = relative_importance is the importance of the extra
(last) feature, all others have importance 1. Losses are summed over features. W is
[M hidden, F features], the ReLU model is y = ReLU(W^T W x + b).

Sources: Elhage et al. 2022, "Toy Models of Superposition", sections "Demonstrating
Superposition", "Superposition as a Phase Change" and "The Geometry of Superposition"; the four
losses are those of wattenberg/superposition, Exploring_Exact_Toy_Models.ipynb.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Order matters: it is the integer code of a label, and the earlier label wins a tie.
PHASES_2_1: tuple[str, ...] = ("not represented", "dedicated", "antipodal")
PHASES_3_2: tuple[str, ...] = (
    "not represented",
    "antipodal",
    "dedicated, others antipodal",
    "dedicated, another dropped",
)

TRIPLE_POINT: tuple[float, float] = (1.0, 4 / 7)
"""(relative_importance, p_active) where all the phases meet, for 2 in 1 and 3 in 2 alike."""

POLYTOPE_DIMENSIONALITY: Mapping[str, float] = {
    "digon": 1 / 2,
    "triangle": 2 / 3,
    "tetrahedron": 3 / 4,
    "square": 1 / 2,
    "pentagon": 2 / 5,
    "hexagon": 1 / 3,
    "octahedron": 1 / 2,
    "square antiprism": 3 / 8,
    "icosahedron": 1 / 4,
}
"""Feature dimensionality D_i = dimensions / vertices of polytopes whose vertices W_i, of equal
length, form a tight frame. A regular simplex of n vertices has (n - 1) / n.

The square antiprism is the tight one, with cos(polar angle) = 1/sqrt(3); the one that minimises
Coulomb energy (cos = 0.5604) has 0.3744. A tegum product (a bipyramid, say) is not listed: each
vertex keeps the value of its own factor. Source: Elhage et al. 2022, "The Geometry of
Superposition"."""

# Losses this close, relative to the smallest, are one loss computed along two paths.
_TIE_TOLERANCE = 1e-12


class LinearLimit(NamedTuple):
    """Hold an optimum of the linear model and its expected loss."""

    W: Floats  # [M, F]
    b: Floats  # [F]
    loss: float  # summed over features, weighted by importance


def loss_drop_other(p_active: npt.ArrayLike) -> Floats:
    """Return the loss of dropping a feature of importance 1: s/3 - s^2/4, its variance.

    Its output is the bias s/2; all else is exact. Shape of `p_active`.
    Raises ValueError outside [0, 1]. Source: Wattenberg's notebook, `loss_f`.
    """
    s = _density(p_active)
    return s / 3 - s**2 / 4


def loss_drop_extra(p_active: npt.ArrayLike, relative_importance: npt.ArrayLike) -> Floats:
    """Return the loss of dropping the extra feature: r (s/3 - s^2/4).

    Its output is the bias s/2; all else is exact. The arguments broadcast.
    Raises ValueError as `phase_losses_2_1`. Source: Wattenberg's notebook, `loss_g`.
    """
    return _importance(relative_importance) * loss_drop_other(p_active)


def loss_extra_antipodal(p_active: npt.ArrayLike, relative_importance: npt.ArrayLike) -> Floats:
    """Return the loss of the extra feature opposite one of importance 1: (1 + r) s^2/6.

    W = [1, -1] on the pair, b = 0: only pairs that are active together cost anything.
    The arguments broadcast. Raises ValueError as `phase_losses_2_1`.
    Source: Wattenberg's notebook, `loss_h_last`.
    """
    s, r = _density(p_active), _importance(relative_importance)
    return (1 + r) * s**2 / 6


def loss_others_antipodal(p_active: npt.ArrayLike) -> Floats:
    """Return the loss of two features of importance 1 opposite each other: s^2/3.

    The extra feature has a dimension of its own, which takes at least 3 features in 2 dimensions.
    Shape of `p_active`. Raises ValueError outside [0, 1].
    Source: Wattenberg's notebook, `loss_h_first`.
    """
    return _density(p_active) ** 2 / 3


def phase_losses_2_1(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> dict[str, Floats]:
    """Return the loss of each fate of the extra one of 2 features in 1 dimension.

    The keys are PHASES_2_1, in that order; every value has the arguments' common shape.
    Raises ValueError where `p_active` is outside [0, 1] or `relative_importance` is negative,
    NaN or infinite. Source: Elhage et al. 2022, "Superposition as a Phase Change".
    """
    losses = (
        loss_drop_extra(p_active, relative_importance),
        loss_drop_other(p_active),
        loss_extra_antipodal(p_active, relative_importance),
    )
    return _named(PHASES_2_1, losses)


def phase_losses_3_2(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> dict[str, Floats]:
    """Return the loss of each fate of the extra one of 3 features in 2 dimensions.

    The keys are PHASES_3_2, in that order; every value has the arguments' common shape.
    Raises ValueError as `phase_losses_2_1`.
    Source: Elhage et al. 2022, "Superposition as a Phase Change".
    """
    losses = (
        loss_drop_extra(p_active, relative_importance),
        loss_extra_antipodal(p_active, relative_importance),
        loss_others_antipodal(p_active),
        loss_drop_other(p_active),
    )
    return _named(PHASES_3_2, losses)


def phase_label_2_1(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> str | npt.NDArray[np.str_]:
    """Name the fate of the extra feature that has the least loss, for 2 features in 1 dimension.

    Two scalars give a str, arrays an array of str of their common shape. Of losses that agree to
    a part in 1e12 the earlier label of PHASES_2_1 wins: at s = 0 (all losses 0), at r = 1 and
    s >= 4/7, and on the boundary for r <= 1 the extra feature is "not represented"; on the
    boundary for r > 1 it is "dedicated".
    Raises ValueError as `phase_losses_2_1`.
    """
    return _label_of_least(phase_losses_2_1(p_active, relative_importance))


def phase_label_3_2(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> str | npt.NDArray[np.str_]:
    """Name the fate of the extra feature that has the least loss, for 3 features in 2 dimensions.

    Two scalars give a str, arrays an array of str of their common shape. Of losses that agree to
    a part in 1e12 the earlier label of PHASES_3_2 wins: at s = 0, at r = 1 and s >= 4/7, and on
    the boundary for r <= 1 it is "not represented"; at r = 1 and 0 < s < 4/7 "antipodal"; on the
    boundary for r > 1 "dedicated, others antipodal".
    Raises ValueError as `phase_losses_2_1`.
    """
    return _label_of_least(phase_losses_3_2(p_active, relative_importance))


def boundary_2_1(relative_importance: npt.ArrayLike) -> Floats:
    """Return the density below which 2 features in 1 dimension are best stored antipodally.

    4r / (2 + 5r) for r <= 1 (above it the extra feature is dropped) and 4 / (5 + 2r) for r >= 1
    (above it the other one is). Shape of `relative_importance`.
    Raises ValueError where it is negative, NaN or infinite.
    Derived from the losses here; compare Elhage et al. 2022, "Superposition as a Phase Change".
    """
    r = _importance(relative_importance)
    ratio = np.minimum(r, 1) / np.maximum(r, 1)  # r -> 1/r swaps the two features
    return 4 * ratio / (2 + 5 * ratio)


def boundary_3_2(relative_importance: npt.ArrayLike) -> Floats:
    """Return the density below which 3 features in 2 dimensions hold an antipodal pair.

    4r / (2 + 5r) for r <= 1, as in `boundary_2_1`, and 4/7 for r >= 1, where the pair is the two
    others. Below it the line r = 1 parts the two kinds of pair. Shape of `relative_importance`.
    Raises ValueError where it is negative, NaN or infinite.
    Derived from the losses here; compare Elhage et al. 2022, "Superposition as a Phase Change".
    """
    r = np.minimum(_importance(relative_importance), 1)
    return 4 * r / (2 + 5 * r)


def linear_limit(
    n_features: int, n_hidden: int, importance: npt.ArrayLike, p_active: npt.ArrayLike
) -> LinearLimit:
    """Return a best tied linear model y = W^T W x + b for independent features.

    It keeps the `n_hidden` features with the largest I_i Var(x_i), Var = p/3 - p^2/4 (x uniform
    on [0, 1] when active): unit columns along the hidden axes, b = 0 on them and b = E[x] = p/2
    on the dropped ones. The loss is the sum of I_i Var(x_i) over the dropped. `importance` and
    `p_active` are scalars or [F].

    Why this is the global optimum, also among untied models: with the best b the loss is
    ||D^1/2 (1 - A) V^1/2||_F^2, where A = W^T W, D = diag(I), V = diag(Var), and D^1/2 A V^1/2
    has rank <= m; by Eckart-Young no such matrix is nearer to diag(sqrt(I_i Var_i)) than its
    largest m entries. It needs a diagonal covariance: correlated features have another optimum.
    The optimum is unique up to a rotation of the hidden space where the m-th and the next
    I_i Var(x_i) differ; of equal features the first is kept.

    Raises ValueError for sizes below 1, an importance that is negative or not finite, a density
    outside [0, 1], or a shape other than () and [F].
    Source: Elhage et al. 2022, "Demonstrating Superposition" (linear model; like PCA).
    """
    for name, size in (("n_features", n_features), ("n_hidden", n_hidden)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
    weight = _per_feature("importance", _importance(importance, "importance"), n_features)
    p = _per_feature("p_active", _density(p_active), n_features)
    weighted_variance = weight * loss_drop_other(p)
    order = np.argsort(-weighted_variance, kind="stable")
    kept, dropped = np.sort(order[:n_hidden]), order[n_hidden:]
    W = np.zeros((n_hidden, n_features))
    W[np.arange(kept.size), kept] = 1
    b = p / 2
    b[kept] = 0
    return LinearLimit(W, b, float(np.sum(weighted_variance[dropped])))


def regular_polygon(n: int) -> Floats:
    """Return W [2, n] whose columns are the unit vectors to the corners of a regular n-gon.

    The first column is (1, 0); n = 2 is the digon. From n = 3 on it is a tight frame,
    W W^T = n/2, and D_i = 2/n. Raises ValueError for n below 2.
    """
    if n < 2:
        raise ValueError(f"n must be at least 2 corners, got {n}")
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)])


def _named(labels: tuple[str, ...], losses: tuple[Floats, ...]) -> dict[str, Floats]:
    """Return label -> loss, each a writable copy of the common shape (a scalar for scalars)."""
    common = np.broadcast_arrays(*losses)
    return {label: np.array(loss)[()] for label, loss in zip(labels, common, strict=True)}


def _label_of_least(losses: dict[str, Floats]) -> str | npt.NDArray[np.str_]:
    """Return the first label whose loss is the least one, up to the tie tolerance."""
    stacked = np.stack(list(losses.values()))
    least = np.min(stacked, axis=0, keepdims=True)
    first = np.argmax(stacked <= least * (1 + _TIE_TOLERANCE), axis=0)
    labels = np.asarray(list(losses))[first]
    return str(labels) if np.ndim(first) == 0 else labels


def _density(p_active: npt.ArrayLike) -> Floats:
    p = np.asarray(p_active, dtype=np.float64)
    bad = p[~((p >= 0) & (p <= 1))]
    if bad.size:
        raise ValueError(
            f"p_active must lie in [0, 1], got {bad[0]}; it is the density 1 - S, not a sparsity S"
        )
    return p


def _importance(values: npt.ArrayLike, name: str = "relative_importance") -> Floats:
    r = np.asarray(values, dtype=np.float64)
    bad = r[~((r >= 0) & np.isfinite(r))]
    if bad.size:
        raise ValueError(f"{name} must be finite and at least 0, got {bad[0]}")
    return r


def _per_feature(name: str, values: Floats, n_features: int) -> Floats:
    if values.shape not in ((), (n_features,)):
        raise ValueError(
            f"{name} must be a scalar or have shape ({n_features},), got shape {values.shape}"
        )
    return np.full(n_features, values)
