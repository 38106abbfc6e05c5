"""The search of some cells: all starts descend, the best and the runner-up are finished and valued.

Cells C and their starts S are laid out as lanes N = C S on the last axis. Programs have a fixed
number of lanes, whatever there is to do: the last block is filled up with copies. A lane's end
depends on no other lane.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from toymodels.exact.end_points import choose, differ
from toymodels.exact.expected import expected_loss_per_feature
from toymodels.exact.newton import CHECK_EVERY, Descent, Problem, advance, begin, loss_at

Floats = npt.NDArray[np.float32]


class Effort(NamedTuple):
    """How a problem of some F is cut and how finely it is integrated."""

    width: int  # lanes of one program
    n_nodes: int  # Gauss–Legendre nodes of the third and each further active feature


# By F. One and two active features are exact.
EFFORT = {
    2: Effort(4096, 1),
    3: Effort(1024, 8),
    4: Effort(512, 5),
    5: Effort(256, 4),
    6: Effort(64, 4),
}

# Steps of all starts, at most of those that have not converged then, and of the two best ends.
FIRST_STEPS, MOST_STEPS, LAST_STEPS = 8, 72, 4


class Starts(NamedTuple):
    """Where a search starts: at W and b, which count as they are, and descends beside them."""

    W: Floats  # [C, S, M, F]
    b: Floats  # [C, S, F]
    aside_W: Floats  # [S, M, F], added before the descent
    aside_b: Floats  # [S, F]


class Kept(NamedTuple):
    """The best end point of each cell and its runner-up, twice the same where there is none."""

    W: Floats  # [C, 2, M, F]
    b: Floats  # [C, 2, F]
    loss: Floats  # [C, 2]


class Found(NamedTuple):
    """What a search of C cells finds; see `toymodels.exact.solver.Solution`."""

    W: Floats  # [C, M, F]
    b: Floats  # [C, F]
    loss_per_feature: Floats  # [C, F]
    runner_up_W: Floats  # [C, M, F]
    runner_up_b: Floats  # [C, F]
    runner_up_loss: Floats  # [C]
    difference: Floats  # [C]


def descend_from(
    starts: Starts, p_active: Floats, importance: Floats, kept: Kept | None = None
) -> tuple[Kept, Floats]:
    """Descend in cells of `p_active` and `importance [C, F]` from all their starts.

    Returns the best of these ends and of what was kept before, and the loss of each end, `[C, S]`.
    """
    W, b, losses = _descend_all(p_active, importance, starts)
    every = Kept(W, b, losses)
    if kept is not None:
        every = Kept(*(np.concatenate(both, axis=1) for both in zip(kept, every, strict=True)))
    choice = choose(*every, p_active, importance)
    two = np.stack([choice.best, choice.runner_up], axis=1)  # [C, 2]
    two = np.where(two < 0, choice.best[:, None], two)
    return Kept(*(a[np.arange(len(a))[:, None], two] for a in every)), losses


def finish(kept: Kept, p_active: Floats, importance: Floats) -> Found:
    """Take the last steps from what was kept, and value it by the expected loss."""
    W, b, inner = _finish(kept.W, kept.b, p_active, importance)
    each = expected_losses(W, b, p_active, importance)
    totals = each.sum(-1)  # [C, 2]
    totals[~differ(W, b, p_active, importance)[:, 1], 1] = np.nan
    order = np.argsort(totals, axis=1)  # NaN last
    cells = np.arange(len(order))
    best, other = (cells, order[:, 0]), (cells, order[:, 1])
    runner_up_W, runner_up_b, runner_up_loss = W[other], b[other], totals[other]
    runner_up_W[np.isnan(runner_up_loss)] = np.nan
    runner_up_b[np.isnan(runner_up_loss)] = np.nan
    return Found(
        W=W[best],
        b=b[best],
        loss_per_feature=each[best],
        runner_up_W=runner_up_W,
        runner_up_b=runner_up_b,
        runner_up_loss=runner_up_loss,
        difference=_relative_difference(inner, each.sum(-1)).max(1),
    )


def _relative_difference(values: Floats, wanted: Floats) -> Floats:
    """Return |values - wanted| / wanted; 0 where nothing is wanted."""
    apart = np.abs(values - wanted)
    return np.divide(apart, wanted, out=np.zeros_like(apart), where=wanted > 0)


def _descend_all(
    p_active: Floats, importance: Floats, starts: Starts
) -> tuple[Floats, Floats, Floats]:
    """Return W, b and loss of every start's end, or of the start where that is lower."""
    (C, S, M, F), effort = starts.W.shape, EFFORT[p_active.shape[1]]
    problem = _lanes(p_active, importance, S)
    begin = _pack(starts.W, starts.b)
    x = _pack(starts.W + starts.aside_W, starts.b + starts.aside_b)
    x, after = _descend(x, problem, (FIRST_STEPS, MOST_STEPS), M)
    value = partial(loss_at, n_hidden=M, n_nodes=effort.n_nodes)
    before = in_blocks(value, effort.width, (begin, problem))
    worse = ~(after <= before)
    x[:, worse] = begin[:, worse]
    W, b = _unpack(x, C, S, M, F)
    return W, b, np.where(worse, before, after).reshape(C, S)


def _finish(
    W: Floats, b: Floats, p_active: Floats, importance: Floats
) -> tuple[Floats, Floats, Floats]:
    """Take the last steps; return W, b and the descent's loss `[C, S]`."""
    C, S, M, F = W.shape
    problem = _lanes(p_active, importance, S)
    x, losses = _descend(_pack(W, b), problem, (LAST_STEPS, LAST_STEPS), M)
    return *_unpack(x, C, S, M, F), losses.reshape(C, S)


def expected_losses(W: Floats, b: Floats, p_active: Floats, importance: Floats) -> Floats:
    """Return `expected_loss_per_feature`, `[C, S, F]`, of `W [C, S, M, F]` and `b [C, S, F]`."""
    C, S, M, F = W.shape
    problem = _lanes(p_active, importance, S)
    lanes = (W.reshape(C * S, M, F).transpose(1, 2, 0), b.reshape(C * S, F).T, *problem)
    losses = in_blocks(_expected, EFFORT[F].width, lanes)
    return losses.T.reshape(C, S, F).astype(np.float32)


_expected = jax.jit(jax.vmap(expected_loss_per_feature, in_axes=-1, out_axes=-1))


def _descend(
    x: Floats, problem: Problem, n_steps: tuple[int, int], n_hidden: int
) -> tuple[Floats, Floats]:
    """Return where lanes end, `[P, N]`, after the first to at most the second many steps, and loss.

    Lanes that have converged leave, so that no block waits for its slowest one.
    """
    effort, lanes = EFFORT[problem.p_active.shape[0]], np.arange(x.shape[1])
    sizes = {"n_hidden": n_hidden, "n_nodes": effort.n_nodes}

    def start(x: Any, problem: Problem) -> Descent:
        return advance(begin(x, problem, **sizes), problem, n_steps[0], **sizes)

    def go_on(state: Descent, problem: Problem) -> Descent:
        return advance(state, problem, CHECK_EVERY, **sizes)

    state = in_blocks(start, effort.width, (x, problem))
    ends, losses = state.x.copy(), state.around.loss.copy()
    for _ in range(n_steps[0], n_steps[1], CHECK_EVERY):
        left = np.flatnonzero(~state.converged)
        if not len(left):
            break
        lanes = lanes[left]
        state, problem = jax.tree.map(lambda a, left=left: a[..., left], (state, problem))
        state = in_blocks(go_on, effort.width, (state, problem))
        ends[:, lanes], losses[lanes] = state.x, state.around.loss
    return ends, losses


def in_blocks(f: Callable[..., Any], width: int, lanes: tuple[Any, ...]) -> Any:
    """Apply `f` to arrays with one lane or more on the last axis, always `width` at once.

    Each block is waited for: many in flight would push each other out of the cache.
    """
    n = jax.tree.leaves(lanes)[0].shape[-1]
    blocks: list[Any] = [slice(k, k + width) for k in range(0, n - width + 1, width)]
    if n % width:
        blocks.append(np.arange(n - n % width, n - n % width + width) % n)
    done = [jax.device_get(f(*jax.tree.map(lambda a, k=k: a[..., k], lanes))) for k in blocks]
    return jax.tree.map(lambda *parts: np.concatenate(parts, axis=-1)[..., :n], *done)


def _lanes(p_active: Floats, importance: Floats, n_starts: int) -> Problem:
    """Lay cells `[C, F]` out as lanes `[F, C S]`."""
    return Problem(*(np.repeat(a.T, n_starts, axis=1) for a in (p_active, importance)))


def _pack(W: Floats, b: Floats) -> Floats:
    """Lay `W [C, S, M, F]` and `b [C, S, F]` out as lanes `[P, C S]`."""
    C, S = b.shape[:2]
    return np.concatenate([W.reshape(C * S, -1), b.reshape(C * S, -1)], axis=1).T.copy()


def _unpack(x: Floats, C: int, S: int, M: int, F: int) -> tuple[Floats, Floats]:
    """Undo `_pack`."""
    rows = x.T
    return rows[:, : M * F].reshape(C, S, M, F), rows[:, M * F :].reshape(C, S, F)
