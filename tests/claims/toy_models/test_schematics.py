"""F2–F5, F10, F35 of Elhage et al. 2022: what the schematics say, proven in a second way."""

import numpy as np
import pytest

import figures
from toymodels.exact import solve
from toymodels.theory import phase_label_2_1

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def found():
    return figures.schematics.compute()


def test_the_pentagon_is_the_solvers_optimum(found):
    W, b = found["W"].values, found["b"].values
    best = solve([0.05] * 5, np.ones(5), 2)
    length = np.linalg.norm(best.W, axis=0)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), length, atol=2e-3)
    np.testing.assert_allclose(b, best.b, atol=2e-3)


def test_projections_of_one_feature_are_the_cosines_of_72_and_144_degrees(found):
    expected = np.cos(np.deg2rad([0, 72, 144, 216, 288]))
    np.testing.assert_allclose(found["cosine"], expected, atol=1e-9)


def test_two_sparse_inputs_have_one_output(found):
    assert float(found["twin_distance"]) < 1e-9
    twin, output = found["twin"].values, found["twin_output"].values
    np.testing.assert_allclose(output[0], output[1], atol=1e-9)
    assert np.abs(twin[0] - twin[1]).max() == pytest.approx(1)


def test_fates_are_the_solvers_optima_and_the_theorys_labels(found):
    p, r = found["density_of_point"].values, found["importance_of_point"].values
    both = np.stack([p, p], axis=1)
    best = solve(both, np.stack([np.ones_like(r), r], axis=1), 1)
    np.testing.assert_allclose(found["fate_loss"], best.loss, rtol=1e-5)
    labels = [phase_label_2_1(*point) for point in zip(p, r, strict=True)]
    assert list(found["fate"].values) == labels
    np.testing.assert_allclose(np.abs(found["fate_W"]), np.abs(best.W[:, 0]), atol=2e-3)


def test_turning_costs_where_neurons_have_a_relu_and_nothing_elsewhere(found):
    lost = found["lost"]
    np.testing.assert_allclose(lost.sel(hidden_layer="linear"), 0, atol=1e-9)
    curve = lost.sel(hidden_layer="ReLU").values
    assert curve[0] == pytest.approx(0, abs=1e-9)
    assert np.all(np.diff(curve) > 0)
    assert curve[-1] == pytest.approx(0.5, abs=0.01)  # at 90° feature 2 is cut away whole


def test_the_ideal_model_of_absolute_values_has_no_error(found):
    assert float(found["largest_error"]) == 0
    signs = np.sort(found["W_in"].values, axis=0)
    np.testing.assert_array_equal(signs[[0, -1]], [[-1] * 3, [1] * 3])  # ± for each feature


def test_more_features_on_are_harder_to_read_and_more_neurons_help(found):
    share = found["share_found"].values
    assert np.all(np.diff(share, axis=1) < 0.01)
    assert np.all(np.diff(share, axis=0) > -0.01)
    assert share[1, 0] > 0.99
