"""Which circuits lead to which: graphs of connections with k of them at each circuit.

All are drawn by index arithmetic: circuit number i of one random order leads to number i + j of
another, for some shifts j. So each circuit has exactly k connections in and k out, none twice.

    own         each circuit leads to itself: the network of the post
    routed      each hands over to one other, a permutation: the same network, circuits renamed
    merging     k circuits hand over to the same one; all others have no predecessor: E = T
    feeding     each hands over to one, and brings its vector to k - 1 others: E = k T
    elsewhere   as many connections as in `feeding`, but circuits in use have one each
    starting    each starts k others, so that k times as many are active: E = k T
    either      each is started by either of two, or by both (OR): E = 2 T
    both        each is started by two that are active together (AND): E = 2 T

A circuit with k successors that start would make k circuits active in place of one. So where the
number of active circuits is to stay, one of its connections starts and the others only feed: a
circuit that is off swallows what it is fed.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels.checks import count
from toymodels.circuits.examples import draw_subsets
from toymodels.errors import InputError, hint, listed

Graph = Literal["own", "routed", "merging", "feeding", "elsewhere", "starting", "either", "both"]
GRAPHS = get_args(Graph)
GATES = {"either": 1, "both": 2}  # predecessors that each needs


class Edges(NamedTuple):
    """The connections of one layer, without their weights."""

    source: NDArray[np.int64]  # [E]
    target: NDArray[np.int64]  # [E]
    starts: NDArray[np.bool_]  # [E]
    brings: NDArray[np.bool_]  # [E] whether the vector comes along


def draw_edges(
    rng: np.random.Generator, graph: str, n_circuits: int, in_degree: int, n_layers: int = 1
) -> tuple[Edges, ...]:
    """Draw the connections into several layers.

    Args:
        rng: draws the orders and the shifts of each layer, and which half is in use.
        graph: one of `GRAPHS`.
        n_circuits: T.
        in_degree: k; "own", "routed" and gates know no other than their own.
        n_layers: layers that connections lead into.

    Raises:
        InputError: no such graph, or more connections than there are circuits.
    """
    require_graph(graph, n_circuits, in_degree)
    every = rng.permutation(n_circuits)
    halves = np.sort(every[: n_circuits // 2]), np.sort(every[n_circuits // 2 :])
    return tuple(
        _elsewhere(rng, halves, in_degree)
        if graph == "elsewhere"
        else _layer(rng, graph, np.sort(every), in_degree)
        for _ in range(count("n_layers", n_layers, 0))
    )


def _layer(rng: np.random.Generator, graph: str, every: NDArray[np.int64], in_degree: int) -> Edges:
    if graph == "own":
        return _edges(every, every, True, True)
    if graph == "merging":
        out_of, into = rng.permutation(every), rng.permutation(every)
        return _edges(out_of, into[every // in_degree], True, True)
    k = {"routed": 1, "either": 2, "both": 2}.get(graph, in_degree)
    fed = _fed(rng, every, k)
    if graph == "feeding":
        return fed
    return fed._replace(
        starts=np.ones_like(fed.starts), brings=fed.starts if graph == "both" else fed.brings
    )


def _elsewhere(rng: np.random.Generator, halves: Sequence[NDArray[np.int64]], k: int) -> Edges:
    one, other = _fed(rng, halves[0], 1), _fed(rng, halves[1], 2 * k - 1)
    return jax.tree.map(lambda *pair: np.concatenate(pair), one, other)


def in_use(edges: Sequence[Edges], n_circuits: int) -> NDArray[np.int64]:
    """Return the circuits that may be active: all that have no more connections than others."""
    if not edges:
        return np.arange(n_circuits)
    out = np.bincount(edges[0].source, minlength=n_circuits)
    return np.flatnonzero(out == out.min())


def draw_active(
    rng: np.random.Generator,
    graph: str,
    edges: Sequence[Edges],
    n_circuits: int,
    n_active: int,
    n_samples: int,
) -> NDArray[np.int64]:
    """Draw which circuits are active, `[n_samples, z]`.

    Two active circuits of a gate are the two predecessors of one circuit of layer 2. One active
    circuit is each in turn, before any comes again.
    """
    used = in_use(edges, n_circuits)
    if n_active == 1:
        rounds = -(-n_samples // used.size)
        return np.concatenate([rng.permutation(used) for _ in range(rounds)])[:n_samples, None]
    if graph not in GATES or n_active != 2 or not edges:
        return used[draw_subsets(rng, used.size, n_active, n_samples)]
    source, target, *_ = edges[0]
    of_target = source[np.argsort(target, kind="stable")].reshape(n_circuits, 2)
    return of_target[rng.integers(0, n_circuits, n_samples)]


def require_graph(graph: str, n_circuits: int, in_degree: int) -> None:
    """Raise InputError unless the graph can be drawn."""
    if graph not in GRAPHS:
        raise InputError(
            f"graph = {graph!r}: no such graph.{hint(graph, GRAPHS)} Use {listed(GRAPHS)}."
        )
    k = max(count("in_degree", in_degree), 2 if graph in GATES else 1)
    n = count("n_circuits", n_circuits)
    n, needs = (n // 2, 2 * k - 1) if graph == "elsewhere" else (n, k)
    if n < needs:
        raise InputError(
            f"in_degree = {in_degree} needs more than the {n_circuits} circuits that there are in "
            f"the graph {graph!r}: use a smaller in_degree, or more circuits."
        )


def _edges(source: Any, target: Any, starts: bool, brings: bool) -> Edges:
    return Edges(source, target, np.full(source.size, starts), np.full(source.size, brings))


def _fed(rng: np.random.Generator, circuits: NDArray[np.int64], k: int) -> Edges:
    """Give each circuit k connections out and k in; the first of each starts its target."""
    out_of, into = rng.permutation(circuits), rng.permutation(circuits)
    shifts = np.concatenate([[0], 1 + rng.permutation(circuits.size - 1)[: k - 1]])
    at = (np.arange(circuits.size) + shifts[:, None]) % circuits.size  # [k, T]
    first = np.repeat(np.arange(k) == 0, circuits.size)
    return Edges(np.tile(out_of, k), into[at].ravel(), first, np.ones_like(first))
