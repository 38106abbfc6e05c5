import pytest

from toymodels.errors import InputError, hint, listed, require_range


@pytest.mark.parametrize("value", [-1e-9, 1.1, float("nan"), float("inf"), -float("inf")])
def test_a_number_out_of_range_is_refused_with_what_is_allowed(value):
    with pytest.raises(InputError, match=r"rate = .*from 0 to 1"):
        require_range("rate", value, 0, 1)


@pytest.mark.parametrize("value", [0, 1, 0.5])
def test_both_ends_are_allowed(value):
    require_range("rate", value, 0, 1)


def test_infinity_is_refused_where_there_is_no_upper_bound():
    require_range("rate", 1e300, 0)
    with pytest.raises(InputError, match="0 or more"):
        require_range("rate", float("inf"), 0)


def test_a_near_name_is_suggested_and_a_far_one_is_not():
    known = ["steps", "seed", "schedule"]
    assert hint("stepz", known) == " Did you mean 'steps'?"
    assert hint("xylophone", known) == ""
    assert listed(known) == "steps, seed, schedule"


def test_a_users_mistake_is_a_value_error():
    assert issubclass(InputError, ValueError)
