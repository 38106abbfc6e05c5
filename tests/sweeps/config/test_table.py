"""Tables that are read key by key: what was taken is known, and sizes stand outside."""

import pytest

from sweeps.config.table import Table
from toymodels.errors import InputError


def test_shared_keys_are_taken_from_outside_and_noted_there():
    outer = Table({"n_features": 3, "steps": 5})
    inner = Table({"p_active": 0.1}, "features", outer, shared=("n_features",))
    assert (inner.has("n_features"), inner.has("steps")) == (True, False)
    assert inner.take("n_features") == 3
    assert (outer.taken, inner.taken) == ({"n_features"}, set())
    assert (inner.path_of("p_active"), outer.path_of("steps")) == ("features.p_active", "steps")


def test_what_is_no_table_is_refused():
    with pytest.raises(InputError, match=r"features = 3: write it as a table"):
        Table(3, "features")
