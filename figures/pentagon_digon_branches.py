"""The numbers of `pentagon_digon`: two minima followed, where they cross, where random starts end.

W is [M hidden, F features]; the densities are p for features 1 to 4 ("the others") and t p for
feature 5, t its relative density. Losses are the exact expected ones, summed over features.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import xarray as xr

from toymodels.exact import crossing, expected_loss_float64
from toymodels.exact.newton import Problem, descend
from toymodels.theory import regular_polygon

Floats = npt.NDArray[np.float64]

F, M = 5, 2
BRANCHES = ("pentagon", "digons")
PENTAGON, DIGONS = 0, 1  # and -1 for neither
HELD = 0.5  # a column at least this long is a feature that is held
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
    """Some models that have descended."""

    W: Floats  # [N, M, F]
    b: Floats  # [N, F]
    loss: Floats  # [N]


def densities(p: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """Return the densities of all features, `[…, F]`."""
    p, t = np.broadcast_arrays(p, t)
    return p[..., None] * np.where(np.arange(F) == F - 1, t[..., None], 1.0)


def settle(start: State, p: Floats, t: Floats, rng: np.random.Generator | None = None) -> State:
    """Let N models descend at densities `p [N]`, `t [N]`; shaken first where `rng` is given."""
    n = len(start.b)
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


def kind(W: Floats) -> npt.NDArray[np.intp]:
    """Return the branch that models `[…, M, F]` may be on, by what they hold."""
    held = np.linalg.norm(W, axis=-2) > HELD
    others = held[..., :-1].all(-1)
    return np.where(others, np.where(held[..., -1], PENTAGON, DIGONS), -1)


def follow_both(p: Floats, t: Floats) -> State:
    """Follow pentagon and digons along C ways, `p [C]`, `t [K, C]` from t = 1.

    Returns K states of 2 C models, the pentagons first: `W [K, 2 C, M, F]` and so on.
    """
    pentagon = 1.1 * np.asarray(regular_polygon(F))
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


def branches(p: float, down: Floats, up: Floats) -> xr.Dataset:
    """Return `loss`, `W`, `b` over (branch, relative_density), NaN where a branch has ended."""
    found = follow_both(np.full(2, p), np.stack([down, up], axis=1))
    lives = np.cumprod(kind(found.W) == np.repeat([PENTAGON, DIGONS], 2), axis=0, dtype=bool)

    def join(values: Floats) -> Floats:
        ways = values.reshape(len(down), 2, 2, *values.shape[2:])  # [K, branch, way, …]
        return np.swapaxes(np.concatenate([ways[:0:-1, :, 0], ways[:, :, 1]]), 0, 1)

    dims = ("branch", "relative_density")
    dataset = xr.Dataset(
        {
            "loss": (dims, join(found.loss)),
            "W": ((*dims, "hidden", "feature"), join(found.W)),
            "b": ((*dims, "feature"), join(found.b)),
        },
        {"branch": list(BRANCHES), "relative_density": np.append(down[:0:-1], up)},
    )
    return dataset.where(xr.DataArray(join(lives), dims=dims))


def thresholds(p: Floats, t: Floats) -> xr.Dataset:
    """Return `crossing`, `slope` there (d loss / d ln t) and `pentagon_end` for each `p [C]`.

    `t [K]` goes down from 1. NaN where the branches do not cross, or the pentagon does not end.
    """
    n, lanes = len(p), np.arange(2 * len(p))
    found = follow_both(p, np.repeat(t[:, None], n, axis=1))
    alive = np.cumprod(kind(found.W[:, :n]) == PENTAGON, axis=0, dtype=bool)
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
        return np.where(kind(from_there(edge, at).W[:n]) == PENTAGON, 1.0, -1.0)

    near, above, below = bracket(lower)
    rough = crossing(gain, above, below, HALVINGS)
    at, slope = _refine(from_there(near, rough), p, rough)
    edge, above, below = bracket(alive)
    end = crossing(is_pentagon, above, below, HALVINGS)
    arrays = {"crossing": ("baseline", at), "slope": (("baseline", "branch"), slope)}
    coordinates = {"baseline": p, "branch": list(BRANCHES)}
    return xr.Dataset(arrays | {"pentagon_end": ("baseline", end)}, coordinates)


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
    return t * np.exp((pentagon - digons) / (slope[:, DIGONS] - slope[:, PENTAGON])), slope


def random_ends(p: float, t: Floats, n_starts: int, known: xr.Dataset) -> xr.Dataset:
    """Descend from random weights, the same at each `t`; `n_starts` is a multiple of LANES.

    `random_loss` and `random_branch` (-1: neither) over (random_density, start). An end point is
    on a branch of `known` where it holds the same features and has its loss.
    """
    rng = np.random.default_rng(1)
    W = SCALE * rng.normal(size=(n_starts, M, F))
    b = BIAS_SCALE * rng.normal(size=(n_starts, F))
    blocks = [slice(k, k + LANES) for k in range(0, n_starts, LANES)]
    starts = [State(W[some], b[some], np.zeros(LANES)) for some in blocks]
    along, of_known = np.log(known["relative_density"].values), np.log(known["loss"].values)
    loss, which = [], []
    for at in t:
        ends = [settle(start, np.full(LANES, p), np.full(LANES, at)) for start in starts]
        loss.append(np.concatenate([end.loss for end in ends]))
        held = np.concatenate([kind(end.W) for end in ends])
        of_branch = np.exp([np.interp(np.log(at), along, of) for of in of_known])
        which.append(np.where(np.abs(loss[-1] / of_branch[held] - 1) < SAME, held, -1))
    dims = ("random_density", "start")
    arrays = {"random_loss": (dims, loss), "random_branch": (dims, np.array(which, np.int8))}
    return xr.Dataset(arrays, {"random_density": t})
