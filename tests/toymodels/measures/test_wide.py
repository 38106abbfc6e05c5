"""Many features are measured as few are."""

import numpy as np
import pytest

from toymodels import geometry
from toymodels.errors import InputError
from toymodels.measures import wide

W = np.random.default_rng(0).normal(size=(4, 30))
W[:, 3] = 0
W[:, 5] = -2 * W[:, 4]


@pytest.mark.parametrize("together", [7, 1024])
def test_it_agrees_with_the_matrix_of_all_products(monkeypatch, together):
    monkeypatch.setattr(wide, "TOGETHER", together)
    found = wide.measure_wide(W)
    np.testing.assert_allclose(found.norm, geometry.feature_norms(W), rtol=1e-5)
    np.testing.assert_allclose(found.superposition, geometry.superposition(W), rtol=1e-5)
    expected = geometry.feature_dimensionality(W)
    np.testing.assert_allclose(found.dimensionality, expected, rtol=1e-5)
    assert found.closest[4] == pytest.approx(-1)
    assert found.closest[3] == 0
    lengths = np.where(found.norm > 0, found.norm, 1)
    cosines = np.abs((W / lengths).T @ (W / lengths))
    np.fill_diagonal(cosines, 0)
    np.testing.assert_allclose(np.abs(found.closest), cosines.max(0), rtol=1e-5)


def test_one_matrix_is_asked_for():
    with pytest.raises(InputError, match="one matrix"):
        wide.measure_wide(np.zeros((2, 3, 4)))
    assert wide.measure_wide(np.zeros((2, 3))).dimensionality.tolist() == [0, 0, 0]
