"""The atlas of optima, a few of its cells proven in a second way.

Orthogonal groups do not see each other, so the loss of an ideal arrangement is a sum over its
groups; each group's is minimised over its length and bias on the oracle, in float64.
"""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import figures
from figures.exact.atlas.panels import meanings
from toymodels.exact import expected_loss_float64, solve, starts
from toymodels.exact.neighbours import Optima, settle
from toymodels.exact.starts import random_starts, riders
from toymodels.measures.arrangement import irregularity, name_optimum
from toymodels.polytopes import ideals
from toymodels.theory import PROBLEMS

pytestmark = pytest.mark.claims

TWO_IN_ONE, THREE_IN_TWO = PROBLEMS[2, 1], PROBLEMS[3, 2]

CORNERS = {name: V for n in range(2, 6) for name, V in ideals(n).items()}
ARRANGEMENTS = {  # at relative importance 1
    (4, 2): ("digon + digon", "digon + dedicated, 1 dropped", "triangle, 1 dropped"),
    (4, 3): ("digon + dedicated + dedicated", "triangle + dedicated", "tetrahedron"),
    (5, 2): ("pentagon", "digon + digon, 1 dropped", "triangle, 2 dropped"),
}


@cache
def group_loss(name, p):
    """Return the least loss of a group of features of importance 1, alone in its dimensions."""
    if name == "dedicated":
        return 0.0
    V = CORNERS[name]

    def loss(at):
        return expected_loss_float64(at[0] * V, np.full(V.shape[1], at[1]), p, 1.0)

    begin = (1.15, -0.2) if name == "pentagon" else (0.9, 0.1)
    return minimize(loss, begin, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9}).fun


def arrangement_loss(name, p):
    """Return the least loss of an arrangement: of its groups, and p/3 − p²/4 for each dropped."""
    groups, _, dropped = name.partition(", ")
    n_dropped = int(dropped.split()[0]) if dropped else 0
    kept = sum(group_loss(group, p) for group in groups.split(" + "))
    return kept + n_dropped * (p / 3 - p**2 / 4)


def at_equal_importance(sizes, p):
    """Solve for the optimum where all features are alike; return its name and loss."""
    F, M = sizes
    found = solve([p] * F, np.ones(F), M)
    return name_optimum(found.W).name, float(found.loss)


@pytest.mark.parametrize(
    ("sizes", "p", "best"),
    [
        *[((4, 2), 0.1, "digon + digon"), ((4, 2), 0.7, "triangle, 1 dropped")],
        *[((4, 3), 0.3, "digon + dedicated + dedicated"), ((4, 3), 0.65, "tetrahedron")],
        *[((5, 2), 0.03, "pentagon"), ((5, 2), 0.3, "digon + digon, 1 dropped")],
        ((5, 2), 0.7, "triangle, 2 dropped"),
    ],
)
def test_optimum_is_the_arrangement_whose_groups_lose_least(sizes, p, best):
    losses = {name: arrangement_loss(name, p) for name in ARRANGEMENTS[sizes]}
    assert min(losses, key=lambda name: losses[name]) == best
    name, loss = at_equal_importance(sizes, p)
    assert name == best
    assert loss == pytest.approx(losses[best], rel=1e-5)


def test_pentagon_gives_way_to_two_digons_where_their_losses_cross():
    pentagon, digons, _ = ARRANGEMENTS[5, 2]
    difference = lambda p: arrangement_loss(pentagon, p) - arrangement_loss(digons, p)  # noqa: E731
    crossing = brentq(difference, 0.2, 0.25, xtol=1e-3)
    assert crossing == pytest.approx(0.2249, abs=2e-3)
    assert at_equal_importance((5, 2), 0.98 * crossing)[0] == pentagon
    assert at_equal_importance((5, 2), 1.02 * crossing)[0] == digons


def test_a_shallow_tetrahedron_is_found_by_own_starts():
    found = solve(np.full(4, 0.5), np.ones(4), 3)
    tetrahedron = ARRANGEMENTS[4, 3][2]
    assert name_optimum(found.W).name == tetrahedron
    assert found.loss == pytest.approx(arrangement_loss(tetrahedron, 0.5), rel=1e-5)


def test_a_tetrahedron_that_own_starts_miss_is_found_from_neighbours():
    """A cell that has found a digon alone, a minimum that loses 0.45 % more."""
    p = np.repeat(np.array([0.49, 0.5, 0.51, 0.53, 0.55, 0.57], np.float32)[:, None], 4, axis=1)
    digon, _, tetrahedron = ARRANGEMENTS[4, 3]
    (known,) = [a for a in starts.arrangements(4, 3) if a.name == "dedicated + dedicated + digon*"]
    missed = solve(p[1], np.ones(4), 3, starts=(known.W[None], np.zeros((1, 4))))
    assert name_optimum(missed.W).name == digon
    found = solve(p, np.ones(4), 3)
    optima = Optima(p, np.ones_like(p), found.W, found.b, found.loss)
    optima.W[1], optima.b[1], optima.loss[1] = missed.W, missed.b, missed.loss
    settled, gained = settle(optima, (1, 6), irregularity)
    assert gained[1] and not gained[2:].any()
    assert [name_optimum(W).name for W in settled.W[1:]] == [tetrahedron] * 5
    assert settled.loss[1] == pytest.approx(arrangement_loss(tetrahedron, 0.5), rel=1e-5)
    assert missed.loss / settled.loss[1] == pytest.approx(1.0045, abs=3e-4)


@pytest.fixture(scope="module")
def atlas():
    return figures.phase_atlas.compute(fast=True)


def texts(atlas, variable, problem):
    """Return a label's meanings over (relative_importance, p_active)."""
    return np.array(meanings(atlas[variable]))[atlas[variable].sel(problem=problem).values]


@pytest.mark.parametrize(("problem", "label"), [(TWO_IN_ONE, "2→1"), (THREE_IN_TWO, "3→2")])
def test_names_agree_with_the_labels_of_the_phase_diagram(atlas, problem, label):
    """Those are read off norms and superposition alone."""
    grid = [*("grid.importance.relative={log=[0.1,10.0,24]}", "grid.p_active={log=[0.01,1.0,24]}")]
    n, m = problem.n_features, problem.n_hidden
    maps = getattr(figures, f"phase_diagram_{n}_{m}").compute(overrides=grid)
    labels = np.array([*problem.phases, "triangle"])[maps["label"].values]
    name, extra = texts(atlas, "name", label), texts(atlas, "extra", label)
    dedicated = "dedicated" if label == "2→1" else "dedicated, another dropped"
    expected = np.select(
        [extra == "digon", extra == "triangle", np.char.startswith(name, "digon")],
        ["antipodal", "triangle", "dedicated, others antipodal"],
        np.where(extra == "dedicated", dedicated, "not represented"),
    )
    assert np.mean(labels == expected) > 0.995
    np.testing.assert_allclose(maps["loss"], atlas["loss"].sel(problem=label), rtol=1e-3)


def test_six_shapes_have_a_region_and_no_cell_is_without_a_name(atlas):
    met = {meanings(atlas["shape"])[k] for k in np.unique(atlas["shape"])}
    assert met == {"dedicated", "digon", "square", "triangle", "tetrahedron", "pentagon"}
    assert "in all 3,456 cells the optimum is one of six shapes" in atlas.attrs["claim"]
    assert float(atlas["distance"].max()) < 0.3
    assert float((atlas["distance"] > 0.15).mean()) < 0.005  # hardly any is bent


def test_no_optimum_lies_above_an_explicit_arrangement(atlas):
    ratio = (atlas["loss"] / atlas["loss_explicit"]).values
    assert ratio.max() <= 1 + 2e-6
    assert ratio.min() > 0.25  # the pentagon's unit vectors lose three times what it does


def test_own_starts_miss_few_cells_and_the_caption_says_how_many(atlas):
    missed = int((atlas["found_by"] != 0).sum())
    assert missed < 0.006 * atlas["found_by"].size  # nearly all by a few 1e-5
    assert f"own starts missed {missed} of" in atlas.attrs["caption"]
    assert np.all(atlas["n_agree"].values[atlas["found_by"].values > 0] == 0)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 2)])
def test_many_random_starts_find_nothing_lower(atlas, sizes):
    """64 of them, of another seed, in every fifth cell along both axes."""
    F, M = sizes
    some = atlas.sel(problem=f"{F}→{M}").isel(relative_importance=slice(2, None, 5))
    some = some.isel(p_active=slice(2, None, 5))
    r, p = np.meshgrid(some["relative_importance"], some["p_active"], indexing="ij")
    importance = np.ones((r.size, F))
    importance[:, -1] = r.ravel()
    W, b = random_starts(64, F, M, seed=77)
    starts = (np.broadcast_to(a, (r.size, *a.shape)) for a in (W, b))
    found = solve(np.repeat(p.reshape(-1, 1), F, axis=1), importance, M, starts=tuple(starts))
    ratio = found.loss / some["loss"].values.ravel()
    assert ratio.min() > 1 - 2e-5
    assert np.mean(ratio < 1 + 1e-4) > 0.9  # and nearly always they find the same


def test_two_in_one_is_its_own_mirror_image(atlas):
    """Importances (1, r) are r times (1/r, 1)."""
    one = atlas.sel(problem="2→1")
    loss, r = one["loss"].values, one["relative_importance"].values
    np.testing.assert_allclose(loss, r[:, None] * loss[::-1], rtol=5e-5)
    extra = texts(atlas, "extra", "2→1")
    kept, gone = extra == "dedicated", np.isin(extra, ("dropped", "weak"))
    np.testing.assert_array_equal(kept, gone[::-1])


@pytest.mark.parametrize(("more", "fewer"), [((3, 2), (2, 1)), ((4, 3), (3, 2))])
def test_an_important_feature_takes_a_dimension_and_leaves_the_smaller_problem(atlas, more, fewer):
    above = atlas.sel(problem=f"{more[0]}→{more[1]}", relative_importance=slice(2, None))["loss"]
    p = atlas["p_active"].values
    left = solve(np.repeat(p[:, None], fewer[0], axis=1), np.ones(fewer[0]), fewer[1], n_starts=32)
    np.testing.assert_allclose(above, np.broadcast_to(left.loss, above.shape), rtol=5e-4)


def test_sparse_optima_of_three_in_one_hold_the_third_feature_weakly():
    """W = (−1.05, −0.42, 1): a descent on the oracle ends there too, 1.8 % below the digon."""
    p, importance = 0.018, np.array([1.0, 1.0, 1.35])
    found = solve([[p] * 3], [importance], 1, starts=_rider_starts())
    W = found.W[0, 0] * np.sign(found.W[0, 0, 2])
    W = W[[*np.argsort(W[:2]), 2]]  # the first two are alike
    digon = solve([p] * 2, [1.0, 1.35], 1).loss + p / 3 - p**2 / 4
    best = minimize(
        lambda x: expected_loss_float64(x[None, :3], x[3:], p, importance),
        [-1, -0.4, 1, -0.1, 0, 0],
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-10, "maxfev": 2000},
    )
    assert float(found.loss[0]) == pytest.approx(best.fun, rel=1e-4)
    np.testing.assert_allclose(W, best.x[:3], atol=0.01)
    assert 0.3 < abs(W).min() < 0.5
    assert best.fun < 0.985 * digon


def _rider_starts():
    W = np.stack([rider.W for rider in riders(3, 1)])[None]
    return W, np.zeros((1, len(W[0]), 3))
