"""The atlas of optima: regions, labels and colours, on a map made by hand."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import figures
from figures.exact import phase_atlas
from figures.exact.atlas.labels import RASTER, room, words
from figures.exact.atlas.panels import COLORS, meanings
from figures.exact.atlas.regions import boundaries, cell_at, regions
from figures.exact.atlas.sketch import flatten, tips
from figures.kit import style
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.kit.phases import GRID, edges
from sweeps.store import open_dataset, save_dataset
from toymodels.errors import InputError
from toymodels.measures.polytopes import ideals

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

SQUARE = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
THREE_CLOSE = np.array([[1.0, 0.9, 0.8, 0], [0, 0.44, 0.6, 0]])  # near each other: no polytope


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


def test_words_count_what_is_dedicated_weak_and_dropped():
    assert words(np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, 0, 0]])) == (
        *("digon", "+ 1 dedicated,", "2 dropped"),
    )
    assert words(SQUARE) == ("two digons",)
    assert words(np.array([[1.0, 0.3]])) == ("1 dedicated", "+ 1 weak")


def by_hand(n=20):
    """An atlas of four features in two dimensions: four quarters, one without a name."""
    choices = [
        *(SQUARE, np.array([[1.0, 0.3, 0, 0], [0, 0, 1, 0]]), THREE_CLOSE),
        np.array([[0, -0.87, 0.87, 0], [1.0, -0.5, -0.5, 0]]),
    ]
    half = np.arange(n) >= n // 2
    W = np.array(choices)[2 * half[:, None] + half[None]]
    maps = {k: (GRID, np.reshape(v, (n, n))) for k, v in phase_atlas.names_of(_row(W)).items()}
    maps |= {
        "W": ((*GRID, "hidden", "feature"), W),
        "b": ((*GRID, "feature"), W[..., 0, :]),
        "explicit": (GRID, np.where(half[:, None] & half[None], "b", "a")),
        "found_by": (GRID, np.full((n, n), phase_atlas.FOUND_BY[0])),
        **{
            name: (GRID, np.ones((n, n)))
            for name in ("loss", "loss_explicit", "n_agree", "n_tried")
        },
    }
    axes = {"relative_importance": np.geomspace(0.1, 10, n), "p_active": np.geomspace(0.01, 1, n)}
    sizes = {"n_features": 4, "n_hidden": 2}
    swept = xr.Dataset(coords={name: ("problem", [value]) for name, value in sizes.items()})
    return phase_atlas.analyse(swept, {"4→2": xr.Dataset(maps, axes)})


def _row(W):
    return W.reshape(-1, *W.shape[2:])


@pytest.fixture(scope="module")
def hand_made():
    dataset = by_hand()
    with plt.rc_context(style.paper()):
        figure = figures.phase_atlas.draw(dataset)
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
        *("two digons", "2 dedicated\n+ 1 weak,\n1 dropped", "triangle,\n1 dropped"),
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
    assert figures.phase_atlas.draw(hand_made[0], axes) is given


def test_the_claim_counts_named_cells_and_shapes(hand_made):
    dataset = hand_made[0]
    assert phase_atlas.claim(dataset) == (
        "One small model: in 300 of 400 cells the optimum is one of three shapes"
    )
    named = dataset.isel(relative_importance=slice(0, 10))
    assert phase_atlas.claim(named).startswith("One small model: in all 200 cells")


def test_the_finding_says_where_the_simplex_of_all_features_is_the_optimum(hand_made):
    dataset = hand_made[0]
    assert phase_atlas.finding(dataset) == ""  # of four features in two dimensions there is none
    sizes = {name: ("problem", [n]) for name, n in (("n_features", 3), ("n_hidden", 2))}
    assert phase_atlas.finding(dataset.assign_coords(sizes)) == (
        "4→2: the triangle is the optimum in 25.0% of the cells, at densities 0.11–1.00 and "
        "relative importances 1.13–10.00; ends are known to a cell, 27% and 27% wide"
    )
    few = dataset.assign_coords(sizes).isel(p_active=slice(0, 10))
    assert "4→2: the triangle is the optimum nowhere" in phase_atlas.finding(few)


def test_the_caption_counts_what_own_starts_missed(hand_made):
    dataset = hand_made[0].copy(deep=True)
    dataset["found_by"][0, 0, :3] = 1
    dataset["found_by"][0, 1, :5] = 2
    said = " ".join(phase_atlas.caption(dataset))
    assert "own starts missed 8 of 400 cells: 3 go to a further candidate, 5 to a neighbour" in said


@pytest.mark.claims  # compiles for many seconds
def test_each_problem_is_a_part_and_survives_its_file(tmp_path):
    dataset = figures.phase_atlas.compute(version="tiny", out=tmp_path)
    (part,) = tmp_path.glob("runs/phase-atlas-*/analysis/*.parts/*.nc")
    assert open_dataset(part)["name"].dtype.kind in "OTU"
    assert dataset["problem"].values.tolist() == ["2→1"]
    assert np.all(dataset["n_tried"] >= 7)
    for name in ("name", "shape", "extra", "explicit", "found_by"):
        assert dataset[name].dims == ("problem", *GRID)
        assert len(meanings(dataset[name])) == len(dataset[name].attrs["flag_values"]), name
    save_dataset(dataset, tmp_path / "again.nc")
    assert phase_atlas.claim(open_dataset(tmp_path / "again.nc")) == dataset.attrs["claim"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer=adam", "optimizer"),
        ("grid.seed.range=2", "has 'seed' too"),
        ("grid.p_active=[0.1]", "at least two values"),
    ],
)
def test_overrides_that_make_another_figure_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("phase-atlas"), "", (override,))
