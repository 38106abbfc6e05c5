"""Graphs of circuits: how many connections each has, and who may be active."""

import numpy as np
import pytest

from toymodels.circuits.constructions.graphs import GATES, GRAPHS, draw_active, draw_edges, in_use
from toymodels.errors import InputError

T, K = 40, 3


def degrees(edges, some=None):
    some = np.ones(edges.source.size, bool) if some is None else some
    ends = edges.source[some], edges.target[some]
    return tuple(np.bincount(end, minlength=T) for end in ends)


@pytest.mark.parametrize("graph", GRAPHS)
def test_connections_are_as_many_as_the_graph_says_and_none_is_there_twice(graph):
    edges, later = draw_edges(np.random.default_rng(0), graph, T, K, 2)
    pairs = np.stack(edges[:2])
    assert np.unique(pairs, axis=1).shape == pairs.shape
    total = {"own": 1, "routed": 1, "merging": 1, "either": 2, "both": 2}.get(graph, K)
    assert pairs.shape[1] == total * T
    out, into = degrees(edges)
    started = degrees(edges, edges.starts)[1]
    if graph == "merging":
        assert set(out) == {1} and sorted(into)[-14:] == [1] + 13 * [3] and into.sum() == T
        return
    if graph == "elsewhere":
        used, rest = in_use([edges], T), np.setdiff1d(range(T), in_use([later], T))
        assert len(used) == len(rest) == T // 2 and not set(used) & set(rest)
        assert set(out[used]) == set(into[used]) == set(started) == {1}
        assert set(out[rest]) == set(into[rest]) == {2 * K - 1}
        assert set(edges.target[np.isin(edges.source, used)]) == set(used)
        return
    assert set(out) == set(into) == {total}
    assert set(started) == {1 if graph == "feeding" else total}
    assert edges.brings.sum() == (T if graph == "both" else edges.brings.size)


def test_two_active_circuits_of_a_gate_are_the_predecessors_of_one_circuit():
    rng = np.random.default_rng(1)
    for graph in GATES:
        (edges,) = draw_edges(rng, graph, T, 2)
        pairs = {tuple(sorted(edges.source[edges.target == u])) for u in range(T)}
        active = draw_active(rng, graph, [edges], T, 2, 100)
        assert {tuple(sorted(row)) for row in active.tolist()} <= pairs
        assert len(np.unique(active)) > T // 2


def test_circuits_in_use_take_turns():
    rng = np.random.default_rng(2)
    edges = draw_edges(rng, "elsewhere", T, K)
    active = draw_active(rng, "elsewhere", edges, T, 1, 2 * T)
    turns = np.bincount(active[:, 0], minlength=T)
    assert set(turns[in_use(edges, T)]) == {4} and turns.sum() == 2 * T


def test_what_cannot_be_drawn_is_refused():
    rng = np.random.default_rng(3)
    with pytest.raises(InputError, match=r"graph = 'feed'.*feeding"):
        draw_edges(rng, "feed", T, 2)
    with pytest.raises(InputError, match=r"in_degree = 41.*smaller in_degree"):
        draw_edges(rng, "feeding", T, 41)
    with pytest.raises(InputError, match="in_degree"):
        draw_edges(rng, "elsewhere", T, 11)
