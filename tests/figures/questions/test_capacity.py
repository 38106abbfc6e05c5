import numpy as np
import pytest
import xarray as xr

from figures.questions.capacity import capacities, factor, judged, over_seeds, words_of


def dataset(error, n_circuits, n_active):
    """Return errors `[design, load, seed]` of layer 1."""
    values = np.asarray(error, float)[..., None]
    coords = {"seed": np.arange(values.shape[2]), "layer": [1]}
    coords["n_circuits"], coords["n_active"] = ("load", n_circuits), ("load", n_active)
    return xr.Dataset({"mse_x_active": (("design", "load", "seed", "layer"), values)}, coords)


def test_capacity_is_where_a_power_law_passes_the_level():
    T = np.array([400.0, 100, 200, 50, 200])
    z = np.array([1, 1, 1, 2, 2])
    first, second = 0.1 * (T / 150) ** 4, 0.1 * (T / 120) ** 2
    found = capacities(dataset(np.stack([first, second])[..., None], T, z), [1], 0.1)
    np.testing.assert_allclose(found["capacity"][..., 0], [[150, 120], [150, 120]], rtol=0.03)
    np.testing.assert_allclose(found["capacity"][0, :, 0], [150, 120], rtol=1e-5)
    assert [words_of(found, k) for k in (0, 1)] == ["z = 1, layer 1", "z = 2, layer 1"]
    assert not found["outside"].any()


def test_capacities_outside_of_the_grid_and_networks_that_blow_up_are_marked():
    error = [[[0.01], [0.02]], [[0.2], [0.3]], [[0.01], [np.inf]], [[np.nan], [np.nan]]]
    found = capacities(dataset(error, [100, 200], [1, 1]), [1], 0.1)
    assert found["outside"].values.ravel().tolist() == [1, -1, 0, -1]
    assert found["capacity"].values.ravel()[[0, 1, 3]].tolist() == [200, 100, 100]
    assert 100 < found["capacity"].values.ravel()[2] < 110  # on a line up to the largest error


def test_a_design_is_chosen_on_one_half_and_judged_on_the_other():
    lucky = np.array([[8.0, 1, 8, 1], [2, 2, 2, 2]])  # best on even networks alone
    np.testing.assert_allclose(np.exp(judged(lucky)), [2, 1, 2, 1])


def test_noise_alone_gains_nothing_by_the_choice():
    noise = np.exp(np.random.default_rng(0).normal(size=(50, 400)))
    assert abs(judged(noise).mean()) < 0.15
    assert np.log(noise).mean(axis=1).max() > 0.1  # as the best on the same networks would


def test_what_is_unknown_stays_unknown():
    capacity = np.array([[100.0, 200]])
    assert np.isnan(judged(capacity, np.array([[1, 0]])))[0]
    assert np.isnan(judged(capacity[:, :1])).all()
    assert np.isnan(judged(capacity[:0])).all()
    assert np.isnan(over_seeds(np.array([1.0, np.nan, 2.0]))).all()
    assert over_seeds(np.array([1.0]))[0] == 1
    assert np.isnan(over_seeds(np.array([1.0]))[1:]).all()
    assert factor(np.full(3, np.nan)) == "unknown"
    assert factor(np.log([2, 1, 4])) == "2.00 [1.00, 4.00]"
    assert factor(np.array([0, np.nan, np.nan])) == "1.00"


def test_the_interval_is_students():
    found = over_seeds(np.array([1.0, 2, 3, 4]))
    assert found == pytest.approx([2.5, 2.5 - 2.0543, 2.5 + 2.0543], abs=1e-3)
