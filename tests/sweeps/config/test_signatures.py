"""Settings are checked against the annotations of what takes them."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from sweeps.config.signatures import checked, parameters


def make(
    n: int,
    rate: float = 0.5,
    sizes: list[int] = [],  # noqa: B006
    weights: float | Sequence[float] = 1.0,
    scale: float | Literal["xavier"] = "xavier",
    upper: int | None = None,
):
    """What a thing's maker looks like."""


NAMES = ("n", "rate", "sizes", "weights", "scale", "upper")


def test_defaults_are_filled_in_and_integers_may_be_written_as_floats():
    found = checked(make, NAMES, {"n": 5.0, "rate": 1})
    assert found == {
        "n": 5,
        "rate": 1.0,
        "sizes": [],
        "weights": 1.0,
        "scale": "xavier",
        "upper": None,
    }
    assert isinstance(found["n"], int)


def test_only_the_names_asked_for_are_checked():
    assert checked(make, ("rate",), {}) == {"rate": 0.5}


@pytest.mark.parametrize(
    ("given", "name", "told"),
    [
        ({"n": 2.5}, "n", "fractional"),
        ({"n": True}, "n", "give a number"),
        ({"n": "5"}, "n", "give a number"),
        ({"n": 1, "rate": "fast"}, "rate", "give a number"),
        ({"n": 1, "sizes": [1, 2.5]}, "sizes", "fractional"),
        ({"n": 1, "sizes": {"linear": [0, 1, 3]}}, "sizes", "fractional"),
        ({"n": 1, "sizes": {"evenly": [0, 1, 3]}}, "sizes", "a spacing such as { linear"),
        ({"n": 1, "sizes": {"range": 0}}, "sizes", "a spacing such as { linear"),
        ({"n": 1, "scale": "xaver"}, "scale", "give a number"),
        ({"n": 1, "upper": "x"}, "upper", "give a number"),
    ],
)
def test_another_type_is_told_by_name(given, name, told):
    found = checked(make, NAMES, given)
    assert isinstance(found, tuple)
    assert found[0] == name
    assert told in found[1]


@pytest.mark.parametrize(
    ("given", "listed"), [({"linear": [0, 8, 3]}, [0, 4, 8]), ([8, 4], [8, 4])]
)
def test_a_list_of_integers_may_be_a_spacing(given, listed):
    assert checked(make, NAMES, {"n": 1, "sizes": given})["sizes"] == listed


@pytest.mark.parametrize("given", [2, [1, 2.5], {"ratio": 0.5}, {"law": "constant", "value": 2}])
def test_a_value_for_each_feature_is_a_number_a_list_or_a_profile(given):
    found = checked(make, NAMES, {"n": 1, "weights": given})["weights"]
    np.testing.assert_equal(found, given)


class Record:
    """A class whose constructor is its maker."""

    def __init__(self, size: int, name: str = "x"):
        self.size, self.name = size, name


def test_a_class_is_made_by_its_constructor():
    size, name = parameters(Record)
    assert (size.name, size.type, size.is_required) == ("size", int, True)
    assert (name.name, name.type, name.is_required, name.default) == ("name", str, False, "x")
