from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from builders import make_table

from sweeps import Axis, parse
from sweeps.given import plain_table
from toymodels.errors import InputError


def sweep(**grid):
    return parse(make_table(steps=np.int64(20), importance=np.float32(0.5), grid=grid))


@pytest.mark.parametrize(
    "densities",
    [
        np.array([0.1, 0.5]),
        np.array([0.1, 0.5], np.float32),
        jnp.array([0.1, 0.5]),
        xr.DataArray([0.1, 0.5]),
        (0.1, np.float64(0.5)),
        [np.float32(0.1), 0.5],
        {"values": np.array([0.1, 0.5], np.float16)},
    ],
    ids=lambda v: type(v).__name__,
)
@pytest.mark.parametrize("seeds", [range(2), np.arange(2), {"range": np.int32(2)}], ids=str)
def test_arrays_and_ranges_are_the_run_of_the_plain_table(densities, seeds):
    plain = parse(make_table(importance=0.5, grid={"p_active": [0.1, 0.5], "seed": [0, 1]}))
    assert sweep(p_active=densities, seed=seeds).as_json() == plain.as_json()
    assert sweep(p_active=densities, seed=seeds).hash() == plain.hash()


def test_names_flags_and_paths_are_plain():
    given = {"a": np.array(["adam", "sgd"]), "b": np.bool_(True), "c": Path("x.toml"), 1: None}
    plain = {"a": ["adam", "sgd"], "b": True, "c": "x.toml", "1": None}
    assert plain_table("x", given) == plain
    assert type(plain_table("x", given)["b"]) is bool


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((2, 3)), "an array of 2 × 3 is no list"),
        (np.array([1j]), "not complex128"),
        ({1, 2}, r"x = \{1, 2\}: use numbers"),
        (object(), "use numbers, text, lists and tables"),
        (b"bytes", "use numbers"),
    ],
    ids=lambda v: str(v)[:20],
)
def test_what_toml_could_not_hold_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        plain_table("x", given)


def test_a_table_that_holds_itself_is_refused():
    table = {}
    table["x"] = table
    with pytest.raises(InputError, match="holds itself"):
        plain_table("x", table)


def test_an_axis_in_python_takes_arrays_and_single_values():
    assert Axis("p", "p", np.array([0.1, 0.5], np.float32)).values == (0.1, 0.5)  # pyright: ignore
    assert Axis("p", "p", range(3)).values == (0, 1, 2)  # pyright: ignore
    assert Axis("p", "p", 0.5).values == (0.5,)  # pyright: ignore
    assert Axis("model", "model", "relu").values == ("relu",)  # pyright: ignore
