"""What is written as TOML is read as the same."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.config.toml import inline, key, read

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
LEAVES = st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3), max_leaves=6
)


@given(TEXT, VALUES)
def test_a_value_is_read_as_it_was(name, value):
    read = tomllib.loads(f"{key(name)} = {inline(value)}")
    assert read == {name: value}
    assert repr(read) == repr({name: value})  # 1 is not 1.0, nor -0.0 0.0


def test_keys_are_bare_where_they_can_be():
    assert [key(k) for k in ("n_hidden", "a-1", "importance.ratio", "my:Thing", "")] == [
        "n_hidden",
        "a-1",
        '"importance.ratio"',
        '"my:Thing"',
        '""',
    ]
    assert inline({"law": "relative", "of": None}) == '{ law = "relative" }'


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (".01", 0.01),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1.e-3", 0.001),
        ("[.01, 0.03,1.]", [0.01, 0.03, 1.0]),
        ("{ratio=.9}", {"ratio": 0.9}),
        (" relu ", "relu"),
        ("a.5", "a.5"),
        ("1.2.3", "1.2.3"),
        ('".5"', ".5"),
        ("0.05", 0.05),
        ("true", True),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_what_is_typed_is_read_as_it_is_meant(typed, meant):
    assert repr(read(typed)) == repr(meant)
