import numpy as np
import pytest

from toymodels import laws, profiles
from toymodels.errors import InputError
from toymodels.profiles import density, length_of, profile_table, profile_values, weights


def test_constant_is_the_same_for_every_feature():
    np.testing.assert_array_equal(profiles.constant(3), [1, 1, 1])
    np.testing.assert_array_equal(profiles.constant(2, 0.25), [0.25, 0.25])


def test_geometric_is_a_power_of_the_index():
    np.testing.assert_allclose(profiles.geometric(5, 0.7), [0.7**i for i in range(5)], rtol=1e-14)
    np.testing.assert_allclose(profiles.geometric(3, 0.9, first=2), [2, 1.8, 1.62], rtol=1e-14)
    np.testing.assert_array_equal(profiles.geometric(3, 0), [1, 0, 0])


def test_log_spaced_is_the_notebooks_power_law():
    """The paper's notebook writes 100 ** -linspace(0, 1, n)."""
    np.testing.assert_allclose(
        profiles.log_spaced(20, last=0.01), 100.0 ** -np.linspace(0, 1, 20), rtol=1e-12
    )
    assert profiles.log_spaced(1, last=0.01) == [1.0]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_relative_sets_the_last_feature_apart(n):
    values = profiles.relative(n, relative=0.5, base=3.0)
    np.testing.assert_array_equal(values, [3.0] * (n - 1) + [1.5])


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (0.3, 0.3),
        ([1, 2, 3], [1, 2, 3]),
        ({"law": "geometric", "ratio": 0.5}, [1, 0.5, 0.25]),
        ({"ratio": 0.5}, [1, 0.5, 0.25]),
        ({"relative": 0.1}, [1, 1, 0.1]),
        ({"last": 0.01}, [1, 0.1, 0.01]),
        ({"value": 2}, [2, 2, 2]),
        ({"law": "log_spaced", "last": 0.25, "first": 4.0}, [4, 1, 0.25]),
    ],
)
def test_a_profile_may_be_named_or_told_by_its_parameters(given, values):
    np.testing.assert_allclose(profile_values(given, 3, "importance"), values, rtol=1e-12)


def test_a_table_is_filled_with_the_name_and_the_defaults():
    wanted = {"law": "geometric", "ratio": 0.5, "first": 1.0}
    assert profile_table({"ratio": 0.5}, "importance") == wanted
    assert profile_table(wanted, "importance") == wanted


def test_a_profile_that_falls_below_the_smallest_float_gives_zero():
    values = profile_values({"ratio": 0.01}, 400, "importance")
    assert values[-1] == 0
    assert weights(values, 400)[-1] == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"law": "geometrc", "ratio": 0.5}, "Did you mean 'geometric'"),
        ({"ratioo": 0.5}, "importance"),
        ({"law": "geometric"}, "needs ratio"),
        ({"law": "constant", "ratio": 0.5}, "importance.ratio"),
        ({"law": "geometric", "ratio": "x"}, "importance.ratio = 'x'"),
        ({"law": "geometric", "ratio": float("nan")}, "importance.ratio = nan"),
        ({"law": "log_spaced", "last": 0.0}, "importance = "),
        ({"law": "geometric", "ratio": 1e200}, "importance = "),
    ],
)
def test_a_profile_that_means_nothing_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        profile_values(given, 5, "importance")


def test_a_profile_needs_to_know_how_many_features_there_are():
    with pytest.raises(InputError, match="needs n_features"):
        profile_values({"ratio": 0.5}, None, "importance")
    assert length_of("p_active", [0.1, 0.2], None) == 2
    with pytest.raises(InputError, match="n_features"):
        length_of("p_active", 0.1, None)


def test_one_number_is_shared_and_a_list_is_kept():
    np.testing.assert_array_equal(density(0.25, 3), np.float32([0.25] * 3))
    np.testing.assert_array_equal(weights([2, 0, 1], 3), np.float32([2, 0, 1]))


def test_the_old_name_of_profiles_still_works():
    np.testing.assert_array_equal(laws.geometric(3, 0.5), profiles.geometric(3, 0.5))
