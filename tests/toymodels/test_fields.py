"""Arrays say their dimensions where they are declared, and wherever they are found."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct

from toymodels.fields import Field, along_first_axis, array, fields_of, static


@struct.dataclass
class Inner:
    p_active: Any = array("feature", words="density")
    kind: int = static(default=1)


@struct.dataclass
class Outer:
    inner: Inner
    W: Any = array("hidden", "feature", words="weights")
    free: Any = None
    table: Any = None
    name: str = static(default="x")


def outer(leading=()):
    ones = lambda *shape: jnp.ones((*leading, *shape))  # noqa: E731
    return Outer(Inner(ones(3)), ones(2, 3), ones(4, 5), {"a": ones(), "b": [ones(6)]})


@pytest.mark.parametrize("leading", [(), (7,), (2, 7)])
def test_fields_have_the_dimensions_that_were_declared_or_are_numbered(leading):
    found = fields_of(outer(leading), leading=len(leading))
    assert {name: field.dims for name, field in found.items()} == {
        "inner_p_active": ("feature",),
        "W": ("hidden", "feature"),
        "free": ("free_0", "free_1"),
        "table_a": (),
        "table_b_0": ("table_b_0_0",),
    }
    assert found["W"].words == "weights"
    for field in found.values():
        assert np.ndim(field.values) == len(leading) + len(field.dims)


def test_static_parts_are_no_fields_and_no_leaves():
    assert not {"name", "inner_kind"} & set(fields_of(outer()))
    assert len(jax.tree.leaves(outer())) == 5


def test_fields_come_in_the_order_of_the_leaves():
    """A stored model is put together again leaf by leaf."""
    record = outer()
    numbered = jax.tree.unflatten(jax.tree.structure(record), range(5))
    assert [field.values for field in fields_of(numbered).values()] == list(range(5))


def test_a_plain_pytree_has_fields_as_well():
    found = fields_of({"w": jnp.ones((2, 3)), "b": jnp.ones(())}, "net_")
    assert {name: field.dims for name, field in found.items()} == {
        "net_w": ("net_w_0", "net_w_1"),
        "net_b": (),
    }


def test_a_field_keeps_its_words_through_transforms():
    def measure(x):
        return Field(2 * x, ("feature",), "twice", ("no", "yes"))

    x = jnp.arange(6.0).reshape(2, 3)
    found = jax.jit(jax.vmap(measure))(x)
    assert (found.dims, found.words, found.meanings) == (("feature",), "twice", ("no", "yes"))
    np.testing.assert_array_equal(found.values, 2 * x)
    assert found.holding(None) == Field(None, ("feature",), "twice", ("no", "yes"))


@pytest.mark.parametrize("like", [(3,), (3, 4), (3, 4, 5)])
def test_values_meet_the_first_axis(like):
    values = jnp.array([1.0, 2, 3])
    got = along_first_axis(values, jnp.zeros(like)) * jnp.ones(like)
    for i in range(3):
        np.testing.assert_array_equal(got[i], values[i])
