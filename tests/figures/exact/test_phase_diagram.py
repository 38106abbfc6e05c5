"""The phase diagrams without sampling: maps, boundaries, what is said, and what is refused."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.exact import phase_diagram
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from sweeps.config.parse import parse
from toymodels import theory
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

GRID = ("relative_importance", "p_active")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def maps(out):
    return figures.phase_diagram_2_1.compute(version="tiny", out=out)


def test_maps_have_exactly_two_dimensions_and_say_what_their_labels_mean(maps):
    for name in ("norm", "superposition", "superposition_of_others", "label", "label_theory"):
        assert maps[name].dims == GRID, name
    meanings = maps["label"].attrs["flag_meanings"].split()
    assert meanings == [name.replace(" ", "_") for name in theory.PHASES_2_1]
    np.testing.assert_allclose(maps["gain"], 1 - maps["loss"] / maps["loss_theory"])
    assert np.all(maps["gain"] > -1e-6)
    assert int(maps["n_features"]) == 2  # scalars of the config stay
    assert np.all((maps["n_agree"] >= 1) & (maps["n_tried"] >= 7))


def test_the_boundary_lies_between_the_cells_of_two_labels(maps):
    p = maps["p_active"].values
    for label, at in zip(maps["label"].values, maps["boundary"].values, strict=True):
        first = np.flatnonzero(label != label[0])[0]
        assert p[first - 1] < at < p[first]


def test_a_second_call_only_reads(maps, out, monkeypatch):
    def refuse(*given):
        raise AssertionError("traced again")

    monkeypatch.setattr(phase_diagram, "trace_boundary", refuse)
    again = figures.phase_diagram_2_1.compute(version="tiny", out=out)
    xr.testing.assert_equal(again["boundary"], maps["boundary"])


def test_axes_in_any_order_give_the_same_maps(maps):
    given = [f"grid.p_active={maps['p_active'].values[::-1].tolist()}"]
    turned = figures.phase_diagram_2_1.compute(version="tiny", overrides=given)
    np.testing.assert_array_equal(turned["label"], maps["label"])
    np.testing.assert_allclose(turned["boundary"], maps["boundary"], rtol=1e-6)


def test_three_panels_have_boxes_of_one_size_at_one_height(maps):
    drawn = figures.phase_diagram_2_1.draw(maps)
    drawn.canvas.draw()
    boxes = np.array([ax.get_position().bounds for ax in drawn.axes[:3]])
    np.testing.assert_allclose(boxes[:, 1:], boxes[:1, 1:].repeat(3, axis=0), atol=1e-3)


def test_map_and_boundary_are_drawn_as_they_are(maps):
    drawn = figures.phase_diagram_2_1.draw(maps)
    optimum, gain = drawn.axes[1:3]
    shown = np.swapaxes(optimum.collections[0].get_array(), 0, 1)
    np.testing.assert_allclose(shown, phase_diagram.phases.map_color(maps))
    np.testing.assert_allclose(gain.collections[0].get_array(), 100 * maps["gain"].T)
    line = next(line for line in optimum.lines if line.get_label() == "optimum")
    np.testing.assert_array_equal(line.get_ydata(), maps["boundary"])
    assert optimum.get_title() == "optimum: the best of 7 starts"


def said(boundary, gain=(0.1, 0.02), n_features=2):
    """What is claimed of these boundaries, as multiples of theory's 1."""
    r = [0.1, 1.0, 10.0]
    variables = {
        "boundary": ("relative_importance", boundary),
        "boundary_theory": ("relative_importance", [1.0, 1.0, 1.0]),
        "gain": (("p_active",), list(gain)),
    }
    sizes = {"n_features": n_features, "n_hidden": n_features - 1}
    return phase_diagram.claim(xr.Dataset(variables, {"relative_importance": r} | sizes))


@pytest.mark.parametrize(
    ("boundary", "words"),
    [
        ([1.1, 9.0, 1.25], "lasts up to densities 10% to 25% above theory's boundary"),
        ([0.9, 9.0, 0.75], "ends at densities 10% to 25% below theory's boundary"),
        ([0.9, 9.0, 1.25], "ends between 10% below and 25% above theory's boundary"),
        ([np.nan, 9.0, np.nan], "2 features in 1 dimension: the optimum loses up to 10% less"),
    ],
)
def test_the_claim_says_on_which_side_of_theory_the_boundary_lies(boundary, words):
    assert words in said(boundary)
    assert "3 features in 2 dimensions" in said(boundary, n_features=3)


@pytest.mark.claims  # compiles for many seconds
def test_a_triangle_is_outlined_where_it_is_the_optimum():
    dataset = figures.phase_diagram_3_2.compute(
        version="tiny",
        overrides=(
            "grid.importance.relative=[0.9, 1.0, 1.1]",
            "grid.p_active=[0.2, 0.6, 0.65, 1.0]",
        ),
    )
    triangle = theory.problem_of(3, 2).optima.index("triangle")
    assert np.sum(dataset["label"].values == triangle) >= 2
    texts = [t.get_text() for t in figures.phase_diagram_3_2.draw(dataset).axes[1].texts]
    assert "triangle" in texts


@pytest.mark.parametrize("name", ["phase-diagram-2-1", "phase-diagram-3-2"])
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("n_features=4", "n_features = 4.*about n_features ="),
        ("grid.p_active=[0.5]", "at least two values above 0"),
        ("grid.importance.relative=[0.0, 1.0]", "at least two values above 0"),
        ("grid.seed.range=2", "has 'seed' too"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_runs(name, override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of(name), "", (override,))


@pytest.mark.parametrize("name", ["phase-diagram-2-1", "phase-diagram-3-2"])
def test_maps_have_cells_enough_even_when_fast(name):
    for version in ("", "fast"):
        config = planned(entry_of(name), version).config
        assert min(config.grid.shape) >= 24


@pytest.mark.claims  # compiles for many seconds
def test_theory_of_one_problem_is_not_drawn_over_another():
    """The module reads the sizes off the dataset, whatever file it is asked by."""
    table = {
        **{"name": "m", "model": "relu", "n_features": 3, "n_hidden": 2, "optimizer": "newton"},
        "n_starts": 4,
        "grid": {"importance.relative": [0.5, 2.0], "p_active": [0.1, 0.9]},
    }
    from sweeps.run import run_sweep

    found = figures.phase_diagram_2_1.analyse(run_sweep(parse(table)))
    assert found["label_theory"].attrs["flag_meanings"].count("_dropped") == 1
    np.testing.assert_array_equal(found["label_theory"], [[1, 0], [2, 3]])
