import numpy as np
import pytest
from builders import make_table

from sweeps.config.derived import FUNCTIONS, derived_value
from sweeps.config.parse import parse
from toymodels.errors import InputError

EXAMPLES = {
    "product": ((2, 3, 0.5), 3.0),
    "ratio": ((1, 4), 0.25),
    "reciprocal": ((4,), 0.25),
    "one_minus": ((0.25,), 0.75),
    "inverse_square_root": ((4,), 0.5),
    "round": ((2.6,), 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_axes_is_what_its_name_says(name):
    arguments, value = EXAMPLES[name]
    assert derived_value("x", name, list(arguments)) == value


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("reciprocal", [0.0]),
        ("inverse_square_root", [-1.0]),
        ("ratio", [1.0]),
        ("product", ["a", 0.5]),
        ("product", [1e300, 1e300]),
    ],
)
def test_a_derived_value_that_does_not_exist_is_refused(function, arguments):
    with pytest.raises(InputError, match=f"derive.learning_rate: no {function} of"):
        derived_value("learning_rate", function, arguments)


def test_a_sweep_with_such_a_value_is_refused_before_it_runs():
    table = {"name": "x", "model": "relu", "n_features": 5, "n_hidden": 2}
    table |= {"grid": {"helper": [0.0]}}
    table["derive"] = {"learning_rate": {"function": "reciprocal", "of": ["helper"]}}
    with pytest.raises(InputError, match=r"derive.learning_rate: no reciprocal of 0"):
        parse(table)


def test_the_papers_x_axis_goes_by_another_name():
    """1/(1-S) is no name that NetCDF stores."""
    derive = {"p_active": {"function": "reciprocal", "of": ["1/(1-S)"]}}
    table = make_table(grid={"1/(1-S)": [1, 10]}, derive=derive)
    with pytest.raises(InputError, match=r"'1/\(1-S\)'.*inverse_density"):
        parse(table)
    derive["p_active"]["of"] = ["inverse_density"]
    config = parse(make_table(grid={"inverse_density": [1, 10]}, derive=derive))
    run = config.build({"inverse_density": 10}).run
    np.testing.assert_allclose(run.task.features.p_active, 0.1)
    with pytest.raises(InputError, match="grid name 'my size'"):
        parse(make_table(zip={"my size": {"n_hidden": [1, 2]}}))
