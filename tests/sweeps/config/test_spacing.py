import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.config.spacing import axis_values, require_size
from toymodels.errors import InputError


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([0.1, 0.2], [0.1, 0.2]),
        (0.5, [0.5]),
        ("relu", ["relu"]),
        (["relu", 1], ["relu", 1]),
        ({"values": [0.5, 0.1]}, [0.5, 0.1]),
        ({"linear": [0, 1, 5]}, [0.0, 0.25, 0.5, 0.75, 1.0]),
        ({"log": [0.01, 1, 3]}, [0.01, 0.1, 1.0]),
        ({"range": 3}, [0, 1, 2]),
        ({"range": [5, 8]}, [5, 6, 7]),
    ],
)
def test_spacings(given, values):
    assert axis_values("x", given) == values


def test_ranges_are_integers():
    assert all(isinstance(x, int) for x in axis_values("seed", {"range": 3}))


@given(
    first=st.floats(1e-6, 1e6),
    last=st.floats(1e-6, 1e6),
    count=st.integers(1, 40),
    spacing=st.sampled_from(["log", "linear"]),
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_spaced_values_are_those_of_numpy_to_twelve_digits(first, last, count, spacing):
    space = np.geomspace if spacing == "log" else np.linspace
    found = axis_values("x", {spacing: [first, last, count]})
    np.testing.assert_allclose(found, space(first, last, count), rtol=1e-11)
    assert all(x == float(f"{x:.12g}") for x in found)  # 0.1 is written 0.1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "exactly one of"),
        ({"log": [0.1, 1, 3], "linear": [0, 1, 2]}, "exactly one of"),
        ({"range": 0}, "'x' is empty"),
        ({"range": 1.5}, r"\[FIRST, END\]"),
        ({"range": 10**9}, "1,000,000,000 values"),
        ({"log": [0, 1, 5]}, "needs numbers > 0"),
        ({"log": [0.1, 1]}, r"\[FIRST, LAST, COUNT\]"),
        ({"linear": [0.1, float("inf"), 3]}, "finite"),
        ({"linear": ["a", 1, 3]}, "should hold numbers"),
        ([True], "holds True"),
        ([[1]], r"holds \[1\]"),
    ],
)
def test_what_is_no_axis_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        axis_values("x", given)


def test_a_grid_of_too_many_points_is_refused_before_any_is_made():
    with pytest.raises(InputError, match="1,000,000,000,000 points; at most 10,000,000"):
        require_size([{"range": 1_000_000}, {"log": [0.1, 1, 1_000_000]}])
    with pytest.raises(InputError, match="12,000,000 points"):
        require_size([[1, 2, 3], {"range": [5, 1_000_005]}, 0.5], times=4)
    require_size([{"range": 1_000_000}, {"values": [1, 2]}, {"log": ["a"]}, {"range": 10**400}])
