"""What Elhage et al. 2022 say in the text alone: sizes that do not matter, and a definition."""

import numpy as np
import pytest

from sweeps import run_sweep
from toymodels.measures.geometry import n_represented

pytestmark = pytest.mark.claims

SIZES = ((60, 6), (120, 6), (120, 12))
DENSITIES = [0.3, 0.2]  # at 0.3 all features are in antipodal pairs


@pytest.fixture(scope="module")
def learned():
    """‖W‖², the number of learned features, by size and density."""
    n, m = zip(*SIZES, strict=True)
    table = {"name": "sizes", "model": "relu", "steps": 1500, "batch_size": 256}
    table |= {"learning_rate": 1e-2, "evaluation_size": 1024, "measures": ["geometry"]}
    table |= {"zip": {"size": {"n_features": list(n), "n_hidden": list(m)}}}
    table |= {"grid": {"p_active": DENSITIES, "seed": {"range": 2}}}
    models = run_sweep(table)
    squared = (models["norm"] ** 2).sum("feature")
    return squared.mean("seed").transpose("size", "p_active").values


def test_the_number_of_features_does_not_matter_where_there_are_many_more_than_dimensions(learned):
    np.testing.assert_allclose(learned[1], learned[0], rtol=0.1)
    assert learned[1, 0] == pytest.approx(learned[0, 0], rel=0.01)


def test_twice_the_dimensions_learn_twice_the_features(learned):
    np.testing.assert_allclose(learned[2] / learned[1], 2, rtol=0.1)
    assert learned[2, 0] / learned[1, 0] == pytest.approx(2, rel=0.01)


def test_a_gram_matrix_that_cannot_be_inverted_is_no_sign_of_superposition():
    """The linear model has one as well: superposition is more represented features than m."""
    table = {"name": "linear", "model": "linear", "n_features": 8, "n_hidden": 3, "steps": 1500}
    table |= {"importance": {"law": "geometric", "ratio": 0.7}, "evaluation_size": 1024}
    W = run_sweep(table | {"batch_size": 256, "p_active": 0.1})["W"].values
    assert np.linalg.matrix_rank(W.T @ W, tol=1e-4) == 3 < 8
    assert int(n_represented(W)) == 3
