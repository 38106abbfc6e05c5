"""Figures are tested by the numbers they draw, on small datasets, and by what they say."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import figures
from figures import catalogue, draw, recipe, style
from toymodels import theory

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

TINY = ("steps=3", "batch_size=8", "evaluation_size=1024")
FEW_CELLS = (
    "grid.importance.relative={log=[0.1,10.0,3]}",
    "grid.p_active={log=[0.01,1.0,4]}",
    "grid.seed.range=2",
)
SMALLER = {
    "intro": ("grid.seed.range=2",),
    "superposition-20-5": ("grid.seed.range=2",),
    "superposition-80-20": ("n_features=6", "n_hidden=2", "grid.seed.range=1"),
    "superposition-100-20": ("n_features=6", "n_hidden=2", "grid.seed.range=1"),
    "phase-diagram-2-1-sampled": FEW_CELLS,
    "phase-diagram-3-2-sampled": FEW_CELLS,
    "phase-diagram-2-1": FEW_CELLS[:2],
    "phase-diagram-3-2": FEW_CELLS[:2],
    "phase-atlas": (
        *("zip.problem.n_features=[2]", "zip.problem.n_hidden=[1]", "zip.problem.n_starts=[4]"),
        *FEW_CELLS[:2],
    ),
    "k-gons": ("snapshots=[0,1,3]", "grid.seed.range=2"),
    "estimators": (
        *("zip.size.n_features=[2,3]", "zip.size.n_hidden=[1,2]"),
        *("grid.p_active=[0.1,1.0]", "grid.seed.range=2"),
    ),
}
SOLVED = {"phase-diagram-2-1", "phase-diagram-3-2", "phase-atlas"}
SIZES = ("width=120", "n_circuits=45", "redundancy=3", "n_layers=2")
ONE_NETWORK = (*SIZES, "n_samples=20")
POST = (
    *SIZES,
    *("zip.active.n_active=[1,2]", "zip.active.n_samples=[45,60]", "grid.seed.range=2"),
)
SMALL_NETWORKS = (
    "zip.network.width=[80,120]",
    "zip.network.n_circuits=[20,45]",
    *("redundancy=3", "n_samples=20", "n_layers=2", "grid.n_active=[1,2]", "grid.seed.range=2"),
)
SIMULATED = {
    **{
        f"rotations-sweep-{error}": SMALL_NETWORKS
        for error in ("x-active", "x-inactive", "on-active", "on-inactive")
    },
    **dict.fromkeys(("rotations-error", "indicator-error", "circuits-activity"), POST),
    "rotations-samples": ("n_examples=1", *SIZES, "n_active=[1, 2]"),
    "circuits-interference": ("n_networks=1", "redundancies=2", "n_seeds=2"),
    "circuits-inhibition": ONE_NETWORK,
    "circuits-bias": ONE_NETWORK,
    "circuits-redundancy": (
        "zip.network.n_circuits=[30,30,36]",
        "zip.network.redundancy=[1,2,3]",
        *("width=120", "n_samples=20", "grid.seed.range=2"),
    ),
    "assignment-designs": (
        'zip.design.assignment=["prime_steps","transversal","random_subsets"]',
        "zip.design.n_circuits=[45,45,45]",
        *("width=120", "redundancy=3", "n_samples=20", "grid.seed.range=2"),
    ),
}
SMALLER |= SIMULATED
# These have nothing to set.
UNTRAINED = {"loss-surface-2-1", "pentagon-digon", "phase-order", "step-function"}
# Many seconds even when small, or the same code as another one: with the claims.
SLOW = {"pentagon-digon", "phase-order", "estimators", "superposition-80-20", "k-gons"}
SLOW |= {"superposition-100-20", "phase-diagram-3-2", "phase-diagram-3-2-sampled"}
SLOW |= {"rotations-sweep-x-inactive", "rotations-sweep-on-active", "indicator-error"}
SLOW |= {"loss-surface-2-1", "circuits-inhibition"}
ENTRIES = [
    pytest.param(entry, id=entry.name, marks=[pytest.mark.claims] if entry.name in SLOW else [])
    for entry in catalogue.CATALOGUE
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_figure_computes_draws_and_survives_its_file(entry, tmp_path):
    untrained = entry.name in UNTRAINED
    overrides = () if untrained else SMALLER[entry.name]
    if not untrained and entry.name not in SOLVED | set(SIMULATED):
        overrides = (*TINY, *overrides)
    dataset = entry.module().compute(overrides=overrides, fast=untrained)
    drawn = entry.module().draw(dataset)
    drawn.savefig(tmp_path / "figure.png", dpi=40)
    texts = " ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))
    # What differs from the preset is in the caption.
    assert (f"changed: {overrides[0]}" if overrides else "FAST version") in texts
    dataset.to_netcdf(tmp_path / "figure.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "figure.nc") as again:
        entry.module().draw(again.load())


@pytest.mark.parametrize("name", recipe.preset_names())
@pytest.mark.parametrize("fast", [False, True])
def test_every_preset_is_valid_whole_and_fast_is_smaller(name, fast):
    config = recipe.preset_config(name, fast=fast)
    for point in config.grid.points():
        config.cell({k: v for k, v in point.items() if k != "seed"})
        break
    full = recipe.preset_config(name)
    cost = [c.grid.size * c.run.get("steps", 1) for c in (config, full)]
    assert cost[0] < cost[1] if fast else cost[0] == cost[1]
    if name.startswith("phase"):
        sizes = {d.name: d.size for d in config.grid.dimensions}
        assert min(sizes["relative_importance"], sizes["p_active"]) >= 24


def test_the_quick_set_and_every_group_name_figures_that_exist():
    known = {entry.name for entry in catalogue.CATALOGUE}
    assert set(catalogue.QUICK) <= known
    assert {entry.group for entry in catalogue.CATALOGUE} <= set(catalogue.GROUPS)


def test_an_unknown_figure_is_an_attribute_error_that_says_where_the_names_are():
    with pytest.raises(AttributeError, match="toymodels list"):
        _ = figures.nonsense


@pytest.mark.parametrize(
    ("norm", "superposition", "color"),
    [
        (0, 0, "#D9D9D9"),
        (0, 1, "#D9D9D9"),
        (1, 0, style.BLUE),
        (1, 1, style.RED),
        (9, 9, style.RED),
    ],
)
def test_corners_of_the_phase_colours(norm, superposition, color):
    expected = mpl.colors.to_rgb(color)
    np.testing.assert_allclose(draw.phase_color(norm, superposition), expected, atol=1e-12)


def test_phase_map_shows_the_cell_at_its_place():
    r, p = np.geomspace(0.1, 10, 5), np.geomspace(0.01, 1, 4)
    maps = xr.Dataset(coords={"relative_importance": r, "p_active": p})
    rgb = np.random.default_rng(0).random((5, 4, 3))
    _, ax = plt.subplots()
    mesh = draw.draw_phase_map(ax, maps, rgb)
    np.testing.assert_allclose(np.asarray(mesh.get_array())[2, 3], rgb[3, 2])
    x = mesh.get_coordinates()[0, :, 0]
    assert np.all((x[:-1] <= r) & (r <= x[1:]))


def test_columns_and_gram_draw_their_numbers():
    W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.5]])
    _, axes = plt.subplots(1, 3)
    lines, dots = draw.draw_columns(axes[0], W, ["k"] * 3)
    np.testing.assert_array_equal(dots.get_offsets(), W.T)
    np.testing.assert_array_equal([s[1] for s in lines.get_segments()], W.T)
    gram, bias = draw.draw_gram(axes[1], W, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(gram.get_array(), W.T @ W)
    np.testing.assert_array_equal(bias.get_array()[:, 0], [0.1, 0.2, 0.3])
    bars = draw.draw_norms(axes[2], [1, 0.5], [0, 2])
    np.testing.assert_array_equal([b.get_width() for b in bars], [1, 0.5])
    with pytest.raises(ValueError, match="shape"):
        draw.draw_columns(axes[0], W.T, ["k"])


def test_published_phase_maps_have_exactly_two_dimensions():
    overrides = (*TINY, *FEW_CELLS)
    maps = figures.phase_diagram_2_1_sampled.compute(overrides=overrides)
    for name in ("norm", "superposition", "label", "label_theory"):
        assert maps[name].dims == ("relative_importance", "p_active")
    meanings = maps["label"].attrs["flag_meanings"].split()
    assert meanings == [name.replace(" ", "_") for name in theory.PHASES_2_1]
