"""The shelf of other constructions: old names, and what their errors say of themselves."""

from importlib import import_module

import jax
import numpy as np
import pytest

from toymodels.circuits import constructions
from toymodels.circuits.constructions.random_embedding import (
    linear_rotations,
    simulate_random_embedding,
    unit_vectors,
)
from toymodels.circuits.constructions.universal_and import measure_and, universal_and
from toymodels.circuits.simulation import blocks_of, copies_of
from toymodels.fields import fields_of

KEY = jax.random.key(0)


@pytest.mark.parametrize("name", constructions.__all__)
def test_old_module_names_work_for_one_version(name):
    old = import_module(f"toymodels.circuits.{name}")
    new = import_module(f"toymodels.circuits.constructions.{name}")
    public = [
        n for n, value in vars(new).items() if getattr(value, "__module__", "") == new.__name__
    ]
    public = [n for n in public if not n.startswith("_")]
    assert len(public) >= 3
    assert all(getattr(old, n) is getattr(new, n) for n in public)


def test_old_name_of_the_copies_works_for_one_version():
    assert blocks_of is copies_of


def test_errors_of_the_constructions_say_their_dimensions_and_what_they_are():
    circuits = linear_rotations(np.linspace(0, 6, 9))
    sizes = {"width": 12, "n_active": 2, "n_layers": 1, "n_samples": 3}
    embedding = simulate_random_embedding(KEY, circuits, unit_vectors, **sizes)
    ands = measure_and(KEY, universal_and(KEY, 10, 6, 6), n_active=3, n_samples=2)
    for errors, dims in ((embedding, {("layer",)}), (ands, {("n_on",), ()})):
        fields = fields_of(errors).values()
        assert {f.dims for f in fields} == dims
        assert all(f.words and np.ndim(f.values) == len(f.dims) for f in fields)
