"""Tetrahedra (F17): where they are the best packing, and when training finds them."""

import numpy as np
import pytest
from scipy.optimize import minimize

import figures
from toymodels.exact import expected_loss_of_map_float64
from toymodels.exact.packing import loss_of_dropped
from toymodels.theory.shapes import simplex

pytestmark = pytest.mark.claims


def removed(shape, p):
    """Loss taken away per dimension, by the oracle and a search without slopes."""
    n = shape.n_corners
    cosines = shape.corners().T @ shape.corners()

    def loss(x):
        G, b = x[0] * cosines, np.full(n, x[1])
        return float(np.sum(expected_loss_of_map_float64(G, b, np.full(n, p), np.ones(n))))

    end = minimize(loss, [0.9, 0.1], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10})
    zero = loss_of_dropped(p)
    return (n * zero - end.fun) / (shape.n_dimensions * zero)


@pytest.mark.parametrize(
    ("p", "best"),
    [
        (0.6, "digon"),
        (0.7, "triangle"),
        (0.78, "triangle"),
        (0.83, "tetrahedron"),
        (0.9, "tetrahedron"),
    ],
)
def test_the_best_packing_turns_from_digons_to_triangles_to_tetrahedra(p, best):
    shapes = [simplex(n) for n in (1, 2, 3, 4, 5)]
    assert max(shapes, key=lambda shape: removed(shape, p)).name == best


@pytest.fixture(scope="module")
def trained():
    return figures.tetrahedra.compute(
        **{
            "zip.setting.n_features": [24, 8, 60],
            "zip.setting.steps": [4000] * 3,
            "zip.setting.optimizer": ["adam"] * 3,
            "zip.setting.learning_rate": [1e-2] * 3,
            "zip.setting.weight_decay": [0.0] * 3,
            "grid.p_active": [0.55, 0.75],
        }
    )


def test_tetrahedra_need_few_features_or_many_and_little_sparsity(trained):
    share = {int(n): trained["share"].values[i] for i, n in enumerate(trained["n_features"].values)}
    assert share[8].max() > 0.2  # nothing else fills six dimensions as well
    assert share[60][1] > 0.15  # density .75, many compete
    assert share[24].max() < 0.1
    assert share[60][0] == 0  # density .55: digons take away more
