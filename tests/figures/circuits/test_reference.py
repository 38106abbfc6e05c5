"""Values measured apart: they are those of the files, and shown for their configuration alone."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.circuits import (
    assignment_designs,
    circuits_bias,
    circuits_inhibition,
    circuits_redundancy,
)
from figures.circuits.errors import looks
from figures.circuits.reference import described, is_published, read, with_reference

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

DATA = Path(__file__).parents[2] / "data" / "circuits_reference.json"
POST = read()["post"]


def cells(layer=5, n_active=(1, 2), **changed):
    """Cells of the post's configuration, over z, with some settings changed."""
    settings = POST | {"n_active": ("n_active", list(n_active)), "layer": layer} | changed
    return xr.Dataset(coords=settings)


def test_the_cells_are_those_of_the_measured_files():
    measured = json.loads(DATA.read_text())
    by_sizes = {}
    for cell in measured["sweeps"]:
        key = (cell["T"], cell["S"], cell["z"], cell["bias"], cell["inhibition"])
        by_sizes[key] = cell["mse_x_active"]["mean"]
    for cell in measured["fig5_7"]:
        by_sizes[557, 6, cell["z"], 1, 1.0] = cell["mse_x_active"]["mean"]
    names = ("n_circuits", "redundancy", "n_active", "bias", "inhibition")
    authors = [cell for cell in read()["cells"] if cell["source"] == "authors"]
    assert {tuple(cell[k] for k in names) for cell in authors} == set(by_sizes)
    for cell in authors:
        assert cell["mse_x_active"] == by_sizes[tuple(cell[k] for k in names)]
        assert cell["assignment"] == "prime_steps"
        assert cell["networks"] in (3, 8)


def test_a_value_is_found_for_its_configuration():
    found = with_reference(cells(), "mse_x_active")
    np.testing.assert_allclose(found["reference"], [1.72, 3.676])
    assert found["reference"].dims == ("n_active",)
    assert described(found) == [
        "hollow diamonds: measured apart, with the authors' public code, means of 8 networks"
    ]
    early = with_reference(cells(layer=2), "mse_x_active")
    np.testing.assert_allclose(early["reference"], [0.008166, 0.156])


@pytest.mark.parametrize(
    "changed",
    [
        {"width": 2000},
        {"layer": 6},
        {"n_circuits": 556},
        {"redundancy": 5},
        {"bias": 0.9},
        {"inhibition": 1.1},
        {"gain": 3.0},
        {"assignment": "random_subsets"},
        {"gating": "ideal"},
        {"n_active": [5]},
    ],
)
def test_no_value_is_found_for_another_configuration(changed):
    found = with_reference(cells(**changed), "mse_x_active")
    assert found["reference"].isnull().all()
    assert described(found) == []
    assert "measured apart" not in looks(found, "measured")


def test_a_value_is_found_along_an_axis_where_its_cell_exists():
    axis = xr.Dataset(coords={"inhibition": [0.0, 0.2, 1.0, 3.0]})
    given = axis.assign_coords(cells(n_active=[1]).drop_vars("inhibition").coords)
    found = with_reference(given, "mse_x_active")["reference"].squeeze("n_active")
    np.testing.assert_allclose(found, [5728.0, np.nan, 1.72, 0.409], rtol=2e-3)


def test_designs_have_values_of_both_sources():
    names = xr.DataArray(["prime_steps", "transversal", "random_subsets"], dims="design")
    given = cells(assignment=names, n_active=[2])
    found = with_reference(given, "mse_x_active")
    np.testing.assert_allclose(found["reference"].squeeze(), [3.676, 0.8546, np.nan])
    assert (
        "the authors' public code and another implementation of it, means of 2 and 8"
        in (described(found)[0])
    )


def test_the_post_is_recognised_by_all_settings_but_those_that_vary():
    assert is_published(cells(), but=())
    assert not is_published(cells(bias=2.0), but=())
    assert is_published(cells(bias=2.0), but=["bias"])
    assert not is_published(cells(bias=("bias", [0.0, 1.0])), but=())


def words_of(drawn):
    return " ".join(text.get_text() for text in drawn.findobj(mpl.text.Text))


def errors_of(coords, dims, name="mse_x_active"):
    """A dataset as the sweep figures analyse it: errors of 0.5 everywhere."""
    given = xr.Dataset(coords=coords)
    shape = [given.sizes[d] for d in dims]
    flat = (dims, np.full(shape, 0.5))
    parts = {f"{name}_{part}": flat for part in ("mean", "low", "high")} | {"theory": flat}
    return with_reference(given.assign(parts), name)


DRAWN = [
    (circuits_inhibition, "inhibition", [0.0, 1.0], ("dropped", "spurious"), 5),
    (circuits_bias, "bias", [0.0, 1.0], ("mse_on_active", "mse_on_inactive"), [2, 5]),
]


@pytest.mark.parametrize(("module", "axis", "values", "others", "layer"), DRAWN)
@pytest.mark.parametrize("width", [1000, 2000])
def test_diamonds_and_their_legend_are_drawn_for_their_width_alone(
    module, axis, values, others, layer, width
):
    layers = {"layer": layer}
    coords = POST | {"width": width, axis: [*values], "n_active": [1, 2]} | layers
    dims = (axis, "n_active", *(["layer"] if isinstance(layer, list) else []))
    dataset = errors_of(coords, dims)
    for name in others:
        dataset = dataset.assign(
            {f"{name}_{part}": dataset["theory"] for part in ("mean", "low", "high")}
        )
    drawn = module.draw(dataset)
    diamonds = [line for ax in drawn.axes for line in ax.lines if line.get_marker() == "D"]
    assert bool(diamonds) == (width == 1000)
    assert ("measured apart" in words_of(drawn)) == (width == 1000)
    if module is circuits_bias:
        assert ("(the post: 1)" in words_of(drawn)) == (width == 1000)


@pytest.mark.parametrize("width", [1000, 2000])
def test_the_posts_redundancy_and_number_of_circuits_are_said_of_its_width_alone(width):
    networks = {"redundancy": ("network", [3, 6]), "n_circuits": ("network", [400, 400])}
    coords = POST | networks | {"width": width, "n_active": [1], "layer": 5}
    dataset = errors_of(coords, ("network", "n_active"))
    each = dataset["theory"].expand_dims(seed=2)
    drawn = circuits_redundancy.draw(dataset.assign(mse_x_active=each))
    assert ("(the post: 6)" in words_of(drawn)) == (width == 1000)
    designs = {"assignment": ("design", ["prime_steps"]), "n_circuits": ("design", [557])}
    coords = POST | designs | {"width": width, "n_active": [1], "layer": 5, "n_compared": 557}
    dataset = errors_of(coords, ("design", "n_active"))
    use = {"neurons": (("list", "load"), [[1, 2]]), "shared": ("list", [1])}
    dataset = dataset.assign(use).assign_coords(list=["prime_steps"], load=[0, 1])
    drawn = assignment_designs.draw(dataset)
    assert ("the post's T = 557" in words_of(drawn)) == (width == 1000)
