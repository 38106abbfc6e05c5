import pytest

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
