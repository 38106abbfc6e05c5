"""What is written as TOML is read as the same."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from sweeps.config.toml import inline, key

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
