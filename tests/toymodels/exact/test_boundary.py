"""The boundary of the solved optimum, finer than its map."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact import solve
from toymodels.exact.boundary import HALVINGS, trace_boundary

R, P = np.array([0.5, 1.0, 2.0]), np.geomspace(0.2, 0.8, 5)


def kind(W):
    """Label 1 where both features are held, 0 where one is dropped."""
    return np.all(np.abs(W[..., 0, :]) > 0.5, axis=-1).astype(int)


@pytest.fixture(scope="module")
def labels():
    r, p = np.meshgrid(R, P, indexing="ij")
    importance = np.stack([np.ones_like(r), r], axis=-1)
    return kind(solve(np.repeat(p[..., None], 2, axis=-1), importance, 1).W)


def test_boundary_is_where_branches_cross_and_mirrors_in_the_importance(labels):
    heard = []
    found = trace_boundary(labels, P, R, 2, kind, heard.append)
    assert sum(heard) == 3 * (HALVINGS + 2)
    np.testing.assert_allclose(found[[0, 2]], 0.4846, rtol=3e-3)
    assert found[1] > 0.6


def test_a_column_of_one_label_has_no_boundary(labels):
    few = np.ones_like(labels)
    few[0] = labels[0]
    found = trace_boundary(few, P, R, 2, kind)
    assert np.isfinite(found).tolist() == [True, False, False]


def test_labels_of_another_shape_are_refused(labels):
    with pytest.raises(InputError, match="3 importances and 5 densities"):
        trace_boundary(labels.T, P, R, 2, kind)
