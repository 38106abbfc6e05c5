"""Five features in two dimensions, one of another density: pentagon or two digons, and where.

Two minima of the exact expected loss are followed as the density of feature 5 varies: the
pentagon, which bends, and two antipodal pairs (digons) with feature 5 dropped. `branches` follows
both at one density of the others; `thresholds` finds where their losses cross, and where the
pentagon ends; `random_ends` says where random starts end.

W is [M hidden, F features]; the densities are p for features 1 to 4 ("the others") and t p for
feature 5, t its relative density. Losses are the exact expected ones, importance 1, summed over
features.

Source of the question: Elhage et al. 2022, "Toy Models of Superposition", "Non-uniform sparsity:
perturbing a single feature".
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from toymodels.checks import checked_density, count, finite, floats, number
from toymodels.errors import InputError
from toymodels.exact.branches import crossing
from toymodels.exact.newton import Problem, descend
from toymodels.exact.oracle import expected_loss_float64
from toymodels.theory.shapes import regular_polygon

Floats = npt.NDArray[np.float64]

F, M = 5, 2
BRANCHES = ("pentagon", "digons")
PENTAGON, DIGONS, NEITHER = 0, 1, -1
REPRESENTED = 0.5  # a column at least this long is a feature that is represented
SAME = 1e-3  # losses as near as this, relatively, are one minimum

# Models that descend side by side: one number, so that one program is compiled.
LANES = 64
NODES = 3  # of the third and each further active feature; `_refine` corrects what they miss
STEPS = 200
SHAKE = 1e-3
HALVINGS = 10
SLOPE_STEP = 0.01  # of ln t
SCALE, BIAS_SCALE = 0.5, 0.05  # of random starts


class State(NamedTuple):
    """Some models that have descended; K states in a row have K in front."""

    W: Floats  # [N, M, F]
    b: Floats  # [N, F]
    loss: Floats  # [N]


class Branches(NamedTuple):
    """Both minima along relative densities, rising; NaN where a branch has ended."""

    relative_density: Floats  # [K]
    loss: Floats  # [2, K], by BRANCHES
    W: Floats  # [2, K, M, F]
    b: Floats  # [2, K, F]


class Thresholds(NamedTuple):
    """Where the branches change places, for some densities of the others."""

    crossing: Floats  # [C], relative density at which the losses are equal; NaN where they are not
    slope: Floats  # [C, 2], d loss / d ln t there, by BRANCHES
    pentagon_end: Floats  # [C], relative density at which the pentagon ends; NaN where it does not


class RandomEnds(NamedTuple):
    """Where random starts end at one relative density."""

    loss: Floats  # [S]
    branch: npt.NDArray[np.int8]  # [S], PENTAGON, DIGONS or NEITHER


def densities(p: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """Return the densities of all features, `[…, F]`; `p` and `t` broadcast.

    Raises:
        InputError: a density outside [0, 1].
    """
    p, t = np.broadcast_arrays(floats("p", p), floats("t", t))
    found = p[..., None] * np.where(np.arange(F) == F - 1, t[..., None], 1.0)
    bad = found[(found < 0) | (found > 1)]  # NaN passes: where branches do not cross
    if bad.size:
        raise InputError(
            f"p and t give a density of {bad[0]}: p, and p t, the density of feature {F}, must lie "
            "in [0, 1]."
        )
    return found


def settle(start: State, p: Floats, t: Floats, rng: np.random.Generator | None = None) -> State:
    """Let N models descend at densities `p [N]`, `t [N]`; shaken first where `rng` is given.

    Raises:
        InputError: more than LANES models, or a density outside [0, 1].
    """
    n = len(start.b)
    if n > LANES:
        raise InputError(f"{n} models are to descend side by side, but {LANES} can: give fewer.")
    x = np.concatenate([start.W.reshape(n, M * F), start.b], axis=1)
    if rng is not None:
        x = x + SHAKE * rng.normal(size=x.shape)
    lanes = np.resize(np.arange(n), LANES)
    p_active = jnp.asarray(densities(p, t)[lanes].T, jnp.float32)
    problem = Problem(p_active, jnp.ones((F, LANES), jnp.float32))
    end = descend(jnp.asarray(x[lanes].T, jnp.float32), problem, STEPS, n_hidden=M, n_nodes=NODES)
    x = np.asarray(end.x, np.float64).T[:n]
    loss = np.asarray(end.around.loss, np.float64)[:n]
    return State(x[:, : M * F].reshape(n, M, F), x[:, M * F :], loss)


def branch_of(W: Floats) -> npt.NDArray[np.intp]:
    """Return the branch that models `[…, M, F]` may be on, by the features they represent."""
    represented = np.linalg.norm(W, axis=-2) > REPRESENTED
    others = represented[..., :-1].all(-1)
    return np.where(others, np.where(represented[..., -1], PENTAGON, DIGONS), NEITHER)


def follow_both(p: Floats, t: Floats) -> State:
    """Follow pentagon and digons along C ways, `p [C]`, `t [K, C]` from t = 1.

    Returns K states of 2 C models, the pentagons first: `W [K, 2 C, M, F]` and so on.

    Raises:
        InputError: more than LANES / 2 ways, or a density outside [0, 1].
    """
    pentagon = 1.1 * regular_polygon(F)
    digons = np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]])
    n = len(p)
    W = np.repeat([pentagon, digons], n, axis=0)
    b = np.repeat([np.full(F, -0.2), np.zeros(F)], n, axis=0)
    b[n:, -1] = p / 2  # the answer to a feature that is dropped is its mean
    rng = np.random.default_rng(0)
    states = [State(W, b, np.zeros(2 * n))]
    for at in t:
        states.append(settle(states[-1], np.tile(p, 2), np.tile(at, 2), rng))
    return State(*(np.stack(parts) for parts in zip(*states[1:], strict=True)))


def branches(p: float, down: Floats, up: Floats) -> Branches:
    """Follow both branches at one density of the others.

    Args:
        p: density of the others.
        down: relative densities of feature 5 from 1 down, `[K]`.
        up: from 1 up, as many, `[K]`.

    Raises:
        InputError: other numbers of them, or a density outside [0, 1].
    """
    p, down, up = number("p", p, 0, 1), finite("down", down), finite("up", up)
    if down.ndim != 1 or down.shape != up.shape:
        raise InputError(
            f"densities of shape {down.shape} lead down and {up.shape} up, but both ways are "
            "followed side by side: give as many of each, [K]."
        )
    found = follow_both(np.full(2, p), np.stack([down, up], axis=1))
    begun_as = np.repeat([PENTAGON, DIGONS], 2)
    lives = np.cumprod(branch_of(found.W) == begun_as, axis=0, dtype=bool)

    def join(values: npt.NDArray) -> npt.NDArray:
        """Put the way down, turned round, before the way up: `[K, 4, …]` to `[2, 2 K - 1, …]`."""
        ways = values.reshape(len(down), 2, 2, *values.shape[2:])  # [K, branch, way, …]
        lower, upper = ways[::-1, :, 0], ways[:, :, 1]
        return np.swapaxes(np.concatenate([lower[:-1], upper]), 0, 1)

    loss, W, b, ended = (join(a) for a in (found.loss, found.W, found.b, ~lives))
    for values in (loss, W, b):
        values[ended] = np.nan
    return Branches(np.concatenate([down[::-1][:-1], up]), loss, W, b)


def thresholds(p: Floats, t: Floats) -> Thresholds:
    """Find where the losses of both branches cross, and where the pentagon ends.

    Up to LANES / 2 densities descend side by side in one program, at the price of one.

    Args:
        p: densities of the others, `[C]`.
        t: relative densities of feature 5 to look at, `[K]`, from 1 down.

    Raises:
        InputError: more than LANES / 2 densities, or one outside [0, 1].
    """
    p, t = checked_density(p, "p"), finite("t", t)
    if p.ndim != 1 or t.ndim != 1 or len(t) < 2:
        raise InputError(f"p has shape {p.shape} and t {t.shape}: give [C] and [K], K >= 2.")
    n, lanes = len(p), np.arange(2 * len(p))
    found = follow_both(p, np.repeat(t[:, None], n, axis=1))
    alive = np.cumprod(branch_of(found.W[:, :n]) == PENTAGON, axis=0, dtype=bool)
    lower = alive & (found.loss[:, :n] < found.loss[:, n:])

    def bracket(holds: npt.NDArray[np.bool_]) -> tuple[State, Floats, Floats]:
        """Return the models at the last t at which something holds, that t and the next."""
        last = np.minimum(np.cumprod(holds, axis=0).sum(0) - 1, len(t) - 2)
        return State(*(of[np.tile(last, 2), lanes] for of in found)), t[last], t[last + 1]

    def from_there(start: State, at: Floats) -> State:
        return settle(start, np.tile(p, 2), np.tile(at, 2))

    def gain(at: Floats) -> Floats:
        pentagon, digons = np.split(from_there(near, at).loss, 2)
        return digons - pentagon

    def is_pentagon(at: Floats) -> Floats:
        return np.where(branch_of(from_there(edge, at).W[:n]) == PENTAGON, 1.0, -1.0)

    near, above, below = bracket(lower)
    rough = crossing(gain, above, below, HALVINGS)
    at, slope = _refine(from_there(near, rough), p, rough)
    edge, above, below = bracket(alive)
    return Thresholds(at, slope, crossing(is_pentagon, above, below, HALVINGS))


def _refine(state: State, p: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Return crossings `[C]` and slopes `[C, 2]` by the oracle, from models near the crossings.

    At a minimum the loss varies with the densities alone, to first order: the weights stay.
    """
    at = t[:, None] * np.exp(SLOPE_STEP * np.array([-1, 0, 1]))
    each = zip(state.W, state.b, np.tile(p, 2), np.tile(at, (2, 1)), strict=True)
    losses = np.array(
        [
            [expected_loss_float64(W, b, densities(q, s), 1.0) for s in three]
            for W, b, q, three in each
        ]
    )
    slope = np.stack(np.split((losses[:, 2] - losses[:, 0]) / (2 * SLOPE_STEP), 2), axis=-1)
    pentagon, digons = np.split(losses[:, 1], 2)
    apart = slope[:, DIGONS] - slope[:, PENTAGON]
    apart[apart == 0] = np.nan  # one minimum, reached twice: nothing crosses
    return t * np.exp((pentagon - digons) / apart), slope


def random_ends(p: float, t: float, n_starts: int, known: Branches, seed: int = 0) -> RandomEnds:
    """Descend from random weights, the same at every density, and say on which branch they end.

    Args:
        p: density of the others.
        t: relative density of feature 5.
        n_starts: a multiple of LANES.
        known: both branches at `p`.
        seed: of the random weights.

    Raises:
        InputError: another number of starts, or a density outside [0, 1].
    """
    end = descend_from_random(p, t, n_starts, seed)
    return RandomEnds(end.loss, on_branch(end, t, known))


def descend_from_random(p: float, t: float, n_starts: int, seed: int = 0) -> State:
    """Descend from random weights, the same at every density; as `random_ends`.

    Raises:
        InputError: another number of starts than a multiple of LANES, or a density outside [0, 1].
    """
    p, t = number("p", p, 0, 1), number("t", t, 0)
    if count("n_starts", n_starts) % LANES:
        raise InputError(f"n_starts must be a multiple of {LANES}, got {n_starts}.")
    rng = np.random.default_rng(seed)
    W = SCALE * rng.normal(size=(n_starts, M, F))
    b = BIAS_SCALE * rng.normal(size=(n_starts, F))
    blocks = [slice(k, k + LANES) for k in range(0, n_starts, LANES)]
    starts = [State(W[some], b[some], np.zeros(LANES)) for some in blocks]
    ends = [settle(start, np.full(LANES, p), np.full(LANES, t)) for start in starts]
    return State(*(np.concatenate(parts) for parts in zip(*ends, strict=True)))


def on_branch(end: State, t: float, known: Branches) -> npt.NDArray[np.int8]:
    """Return the branch of each of N end points at relative density t: PENTAGON, DIGONS or NEITHER.

    An end point is on a branch where it represents the same features and has its loss.
    """
    branch = branch_of(end.W)
    along, of_known = np.log(known.relative_density), np.log(known.loss)
    of_branch = np.exp([np.interp(np.log(t), along, of) for of in of_known])
    near = np.abs(end.loss / of_branch[branch] - 1) < SAME
    return np.where(near, branch, NEITHER).astype(np.int8)
