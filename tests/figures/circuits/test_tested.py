"""What figures of trained circuits share: tests as trained, and intervals over seeds."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from figures.circuits.tested import as_trained, false_ones, student
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError


def test_each_network_is_read_where_it_was_tested_as_it_was_trained():
    names = ("n_active", "tested_active")
    dataset = xr.Dataset(
        {"mse": (names, np.arange(6.0).reshape(2, 3)), "n_active_tested": (names, [[1, 2, 4]] * 2)},
        coords={"n_active": [1, 4], "n_circuits": 9},
    )
    found = as_trained(dataset, "mse")
    np.testing.assert_array_equal(found, [0, 5])
    np.testing.assert_allclose(false_ones(dataset, found), [0, 5 * 5 / 4])


def test_intervals_are_students_and_one_seed_has_none():
    values = np.array([1.0, 2.0, 4.0])
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    np.testing.assert_allclose(student(values), (values.mean(), low, high))
    assert student(values[:1])[0] == 1 and np.isnan(student(values[:1])[1])
    assert np.isnan(student(np.array([np.nan]))[0])


@pytest.mark.parametrize("name", ["circuits-trained", "circuits-loss"])
def test_numbers_that_are_trained_and_not_tested_are_refused(name):
    with pytest.raises(InputError, match="n_active = 6 is trained and not tested"):
        planned(entry_of(name), "tiny", ["grid.n_active=[1,6]"])
