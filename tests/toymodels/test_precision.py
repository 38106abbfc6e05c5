"""Products ask for all digits of float32, whatever the device would do by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.measures.geometry import feature_dimensionality
from toymodels.models import ReluAutoencoder
from toymodels.precision import HIGHEST, product

W = jnp.ones((2, 3))


def precisions(jaxpr):
    """Yield the precision of every product in a program."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield equation.params["precision"]
        for inner in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")
        ):
            if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                yield from precisions(getattr(inner, "jaxpr", inner))


@pytest.mark.parametrize(
    "program",
    [
        lambda: product(W.T, W),
        lambda: feature_dimensionality(W),
        lambda: ReluAutoencoder(W, jnp.zeros(3)).relu_map(),
    ],
    ids=["product", "dimensionality", "map of a model"],
)
def test_no_product_that_a_number_hangs_on_is_rounded(program):
    found = list(precisions(jax.make_jaxpr(program)().jaxpr))
    assert found
    assert all(precision in (HIGHEST, (HIGHEST, HIGHEST)) for precision in found)


def test_a_product_is_a_product():
    a, b = np.arange(6.0, dtype=np.float32).reshape(2, 3), np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(product(a, 2 * b), 2 * a)
