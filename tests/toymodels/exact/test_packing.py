import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact import expected_loss_of_map_float64, packing
from toymodels.exact.packing import loss_of_dropped
from toymodels.theory.shapes import polygon, simplex

DENSITIES = np.array([0.3, 0.9])


def test_a_dedicated_feature_takes_away_all_of_its_loss():
    found = packing(simplex(1), DENSITIES)
    np.testing.assert_allclose(found.removed, 1, atol=1e-5)
    np.testing.assert_allclose(found.length, 1, atol=1e-3)


def test_no_length_and_bias_around_lose_less_by_the_oracle():
    shape = simplex(3)
    found = packing(shape, DENSITIES)
    cosines = shape.corners().T @ shape.corners()

    def loss(p, length, bias):
        G, b = length**2 * cosines, np.full(3, bias)
        return float(np.sum(expected_loss_of_map_float64(G, b, np.full(3, p), np.ones(3))))

    for p, length, bias, least in zip(DENSITIES, found.length, found.bias, found.loss, strict=True):
        assert loss(p, length, bias) == pytest.approx(least, rel=1e-4)
        for other in ((1.03, 0), (0.97, 0), (1, 0.03), (1, -0.03)):
            assert loss(p, length * other[0], bias + other[1]) > least * (1 - 1e-5)


def test_antipodal_pairs_of_sparse_features_lose_a_third_of_the_squared_density():
    p = np.array([1e-3])
    found = packing(simplex(2), p)  # 2 L₀ - p²/3: each loses p²/6 without a bias
    assert found.removed[0] == pytest.approx(
        (2 * loss_of_dropped(p) - p**2 / 3)[0] * 3 / p[0], rel=1e-3
    )


def test_what_cannot_be_packed_is_refused():
    with pytest.raises(InputError, match="p_active = 0"):
        packing(simplex(2), [0.0, 0.5])
    with pytest.raises(InputError, match=r"octagon.* 8 corners"):
        packing(polygon(8), [0.5])
    with pytest.raises(InputError, match=r"p_active must lie in \[0, 1\]"):
        loss_of_dropped(1.5)
