"""PCA of correlated sets, against samples; independent features are in `test_phases`."""

import numpy as np
import pytest

from toymodels.features.correlated import CorrelatedSets
from toymodels.theory import linear_limit, linear_loss_in_sets


def test_loss_in_sets_is_the_variance_that_pca_of_samples_leaves():
    world = CorrelatedSets.create(6, 3, 0.4)
    u = np.random.default_rng(0).random((world.n_uniforms, 200_000))
    left = np.linalg.eigvalsh(np.cov(np.asarray(world.from_uniforms(u))))
    for m in (1, 2, 4, 6):
        assert linear_loss_in_sets(6, m, 3, 0.4) == pytest.approx(left[: 6 - m].sum(), rel=0.01)


def test_sets_of_one_feature_have_the_loss_of_independent_ones():
    assert linear_loss_in_sets(6, 2, 6, 0.4) == pytest.approx(linear_limit(6, 2, 1.0, 0.4).loss)
