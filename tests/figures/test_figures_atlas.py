"""The atlas of optima: names, regions, labels and the second look, on maps made by hand."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from figures.draw import edges

from figures import phase_atlas, style
from figures.atlas_labels import RASTER, room, words
from figures.atlas_names import irregularity, name_cell
from figures.atlas_optima import Optima, explicit_losses, neighbours, riders, settle
from figures.atlas_panels import COLORS, meanings
from figures.atlas_regions import boundaries, cell_at, regions
from figures.atlas_sketch import flatten, tips
from toymodels import theory
from toymodels.errors import InputError
from toymodels.polytopes import ideals
from toymodels.theory import regular_polygon

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

SQUARE = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
THREE_CLOSE = np.array([[1.0, 0.9, 0.8, 0], [0, 0.44, 0.6, 0]])  # near each other: no polytope


@pytest.mark.parametrize(
    ("W", "name", "shape", "extra", "n_weak"),
    [
        ([[1, -1]], "digon", "digon", "digon", 0),
        ([[1, -0.2]], "dedicated, 1 dropped", "dedicated", "held weakly", 1),
        ([[1, -1, 0.05]], "digon, 1 dropped", "digon", "dropped", 0),
        ([[-1.05, -0.4, 1]], "digon, 1 dropped", "digon", "digon", 1),
        ([[1, 0, 0], [0, 1, -1]], "digon + dedicated", "digon", "digon", 0),
        ([[1, -1, 0], [0, 0, 1]], "digon + dedicated", "digon", "dedicated", 0),
        (SQUARE, "digon + digon", "square", "digon", 0),
        (regular_polygon(5), "pentagon", "pentagon", "pentagon", 0),
        (ideals(4)["tetrahedron"], "tetrahedron", "tetrahedron", "tetrahedron", 0),
        (THREE_CLOSE, "unnamed (3 in 2), 1 dropped", "unnamed", "dropped", 0),
    ],
)
def test_a_cell_is_named_by_its_groups_and_by_where_the_extra_feature_is(
    W, name, shape, extra, n_weak
):
    found = name_cell(np.asarray(W, float))
    assert (found.name, found.shape, found.extra, found.n_weak) == (name, shape, extra, n_weak)


def test_irregularity_grows_with_bent_groups_and_with_features_held_weakly():
    bent = regular_polygon(3) + np.array([[0, 0.2, 0], [0, 0, 0]])
    assert irregularity(regular_polygon(3)) == pytest.approx(0, abs=1e-6)
    assert 0.02 < irregularity(bent) < 0.3
    assert irregularity(np.array([[1, -1, 0.2]])) == pytest.approx(0.05, abs=1e-6)
    assert irregularity(THREE_CLOSE) == np.inf


def test_riders_are_listed_once_for_each_role_of_the_extra_feature():
    listed = riders(3, 1)
    signs = {tuple(np.sign(r.W[0]) * np.sign(r.W[0, 2])) for r in listed}
    lengths = {tuple(np.round(np.abs(r.W[0]).astype(float), 3).tolist()) for r in listed}
    assert signs == {(-1, -1, 1), (1, -1, 1)}
    assert lengths == {(0.4, 1, 1), (1, 1, 0.4)} and len(listed) == 3
    assert [len(riders(*sizes)) for sizes in ((2, 1), (3, 2), (4, 2), (4, 3), (5, 2))] == [
        *(0, 0, 4, 0, 9)
    ]


def solved(p, r, W, b):
    """Make cells of two features in one dimension; their losses count as unknown."""
    n = len(p)
    importance = np.stack([np.ones(n), r], axis=1).astype(np.float32)
    p_active = np.repeat(np.asarray(p, np.float32)[:, None], 2, axis=1)
    return Optima(p_active, importance, np.array(W, np.float32), np.array(b, np.float32), 9 + 0 * r)


def test_explicit_losses_are_the_closed_forms_of_two_in_one():
    p, r = np.array([0.05, 0.3, 0.9]), np.array([0.2, 1.0, 5.0])
    found = explicit_losses(solved(p, r, np.zeros((3, 1, 2)), np.zeros((3, 2))))
    closed = theory.phase_losses_2_1(p, r)
    order = ("dedicated", "not represented", "antipodal")
    np.testing.assert_allclose(found.T, [closed[name] for name in order], rtol=1e-5)


def test_a_cell_in_a_worse_minimum_settles_to_that_of_its_neighbours():
    p = np.array([0.1] * 9)
    W = np.repeat([[[1.0, -1.0]]], 9, axis=0)
    b = np.zeros((9, 2))
    W[4], b[4] = [[1, 0]], [0, 0.05]
    start = solved(p, np.ones(9), W, b)
    start.loss[:] = 0.003
    start.loss[4] = theory.phase_losses_2_1(0.1, 1.0)["not represented"]
    found, gained = settle(start, (3, 3), irregularity)
    assert gained[4]
    np.testing.assert_allclose(found.W[4] * np.sign(found.W[4, 0, 0]), [[1.0, -1.0]], atol=0.02)
    assert found.loss[4] < 0.5 * start.loss[4]


def test_neighbours_are_the_four_next_cells_of_the_grid():
    pairs = np.concatenate(neighbours((3, 4)), axis=1).T
    a, b = (np.stack(np.unravel_index(k, (3, 4))) for k in pairs.T)
    assert np.all(np.abs(a - b).sum(axis=0) == 1)
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs) == 2 * (2 * 4 + 3 * 3)


def test_regions_are_connected_and_each_is_shown_by_a_cell_far_inside():
    kind = np.zeros((9, 9), int)
    kind[2:7, 2:7] = 1
    kind[0, 0] = kind[8, 8] = 2
    found = regions(kind)
    assert [(r.kind, int(r.inside.sum())) for r in found] == [(0, 54), (1, 25), (2, 1), (2, 1)]
    assert found[1].cell == (4, 4)
    assert all(r.inside[r.cell] for r in found)


def test_boundaries_are_the_edges_between_cells_of_two_kinds():
    kind = np.array([[0, 0], [1, 0]])
    lines = boundaries(kind, np.array([0, 1, 2]), np.array([0, 10, 20]))
    np.testing.assert_array_equal(lines, [[(1, 0), (1, 10)], [(1, 10), (2, 10)]])


def test_cells_under_points_follow_the_edges_of_a_logarithmic_axis():
    centres = np.geomspace(0.01, 1, 5)
    shares = np.log10(centres / 0.01) / 2
    np.testing.assert_array_equal(cell_at(shares, edges(centres)), np.arange(5))


def test_room_keeps_a_box_inside():
    free = np.zeros((RASTER, RASTER), bool)
    free[10:61, 20:41] = True  # 51 by 21 points
    places = np.argwhere(room(free, np.array([0.2, 0.1])))  # 25 by 13 points
    np.testing.assert_array_equal(places.min(axis=0), [10 + 12, 20 + 6])
    np.testing.assert_array_equal(places.max(axis=0), [60 - 12, 40 - 6])
    assert not room(free, np.array([0.2, 0.2])).any()


def test_sketches_keep_angles_put_the_extra_feature_upright_and_dropped_ones_below():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    drawn = flatten(turn @ SQUARE)
    np.testing.assert_allclose(drawn.T @ drawn, SQUARE.T @ SQUARE, atol=1e-12)
    np.testing.assert_allclose(drawn[:, 3], [0, 1], atol=1e-12)
    dropped = tips(np.array([[1.0, -1, 0, 0], [0, 0, 1, 0]]))
    assert dropped[1, 3] < dropped[1, :3].min() - 0.4
    upright = flatten(ideals(4)["tetrahedron"])
    np.testing.assert_allclose(upright[:, 3], [0, 1], atol=1e-9)


def test_words_count_what_is_alone_held_weakly_and_dropped():
    assert words(np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, 0, 0]])) == (
        *("digon", "+ 1 alone,", "2 dropped"),
    )
    assert words(SQUARE) == ("two digons",)
    assert words(np.array([[1.0, 0.3]])) == ("1 alone", "+ 1 weak")


def by_hand(n=20):
    """An atlas of four features in two dimensions: four quarters, one without a name."""
    choices = [
        *(SQUARE, np.array([[1.0, 0.3, 0, 0], [0, 0, 1, 0]]), THREE_CLOSE),
        np.array([[0, -0.87, 0.87, 0], [1.0, -0.5, -0.5, 0]]),
    ]
    half = np.arange(n) >= n // 2
    W = np.array(choices)[2 * half[:, None] + half[None]]
    grid = phase_atlas.GRID
    maps = {k: (grid, np.reshape(v, (n, n))) for k, v in phase_atlas.names_of(_row(W)).items()}
    maps |= {
        "W": ((*grid, "hidden", "feature"), W),
        "explicit": (grid, np.where(half[:, None] & half[None], "b", "a")),
        "found_by": (grid, np.full((n, n), phase_atlas.FOUND_BY[0])),
    }
    coords = {"relative_importance": np.geomspace(0.1, 10, n), "p_active": np.geomspace(0.01, 1, n)}
    sizes = {"n_features": 4, "n_hidden": 2, "n_starts": 8}
    return phase_atlas.join([xr.Dataset(maps, coords | sizes)])


def _row(W):
    return W.reshape(-1, *W.shape[2:])


@pytest.fixture(scope="module")
def hand_made():
    dataset = by_hand()
    with plt.rc_context(style.paper()):
        figure = phase_atlas.draw(dataset)
        figure.canvas.draw()
    return dataset, figure


def test_every_cell_has_the_colour_of_its_shape(hand_made):
    dataset, figure = hand_made
    mesh = figure.axes[0].collections[0]
    drawn = np.swapaxes(mesh.get_array(), 0, 1)
    shapes = np.array(meanings(dataset["shape"]))[dataset["shape"].values[0]]
    for corner, shape in (((0, 0), "square"), ((0, -1), "dedicated"), ((-1, -1), "triangle")):
        assert shapes[corner] == shape
        np.testing.assert_allclose(drawn[corner], mpl.colors.to_rgb(COLORS[shape]))
    assert shapes[-1, 0] == "unnamed"


def test_labels_say_the_arrangements_and_where_the_unnamed_is(hand_made):
    texts = {t.get_text() for t in hand_made[1].axes[0].texts}
    assert texts == {
        *("two digons", "2 alone\n+ 1 weak,\n1 dropped", "triangle,\n1 dropped"),
        "unnamed,\n1 dropped\nat (3, 0.026)",
    }


def test_labels_lie_in_their_panel_and_over_no_other(hand_made):
    panel = hand_made[1].axes[0]
    boxes = [t.get_window_extent() for t in panel.texts]
    inside = panel.get_window_extent()
    for k, box in enumerate(boxes):
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1
        assert inside.y0 <= box.y0 and box.y1 <= inside.y1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])


def test_unnamed_cells_are_hatched_and_cells_with_weak_features_dotted(hand_made):
    panel = hand_made[1].axes[0]
    hatched = [c for c in panel.collections if c.get_hatch()]
    assert len(hatched) == 1 and len(hatched[0].get_paths()) == 100
    (dots,) = [c for c in panel.collections if len(c.get_offsets()) > 100]
    across, up = dots.get_offsets().T
    assert across.max() < 0.5 < up.min()  # the quarter with a weak feature


def test_axes_are_labelled_as_in_the_other_phase_diagrams(hand_made):
    panel = hand_made[1].axes[0]
    assert panel.get_xlabel() == "relative importance of the extra feature"
    assert panel.get_ylabel() == "density  1 − S   (dense at the top)"
    assert panel.get_title() == "4 features in 2 dimensions"


def test_figure_draws_into_given_axes(hand_made):
    given, axes = plt.subplots(1, 2)
    assert phase_atlas.draw(hand_made[0], ax=axes) is given


@pytest.mark.parametrize("override", ["optimizer=adam", "grid.seed.range=2"])
def test_overrides_that_make_another_figure_are_refused(override):
    with pytest.raises(InputError, match="phase-atlas"):
        phase_atlas.compute(overrides=(override,))
