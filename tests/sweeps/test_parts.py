"""Which blocks a part has, and what text names one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.parts import EVERY_BLOCK, part_from
from toymodels.errors import InputError


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 40))
def test_arrays_that_count_from_0_and_from_1_both_have_every_block_once(of, number):
    for first in (0, 1):
        parts = [part_from(f"{i}/{of}") for i in range(first, first + of)]
        assert sum(part.has(number) for part in parts) == 1
    assert EVERY_BLOCK.has(number)


@pytest.mark.parametrize(
    "text", ["", "3", "3/0", "-1/4", "5/4", "1/2/3", "a/b", "1.5/4", "1/1e3", None]
)
def test_what_names_no_part_is_refused_with_the_way_out(text):
    with pytest.raises(InputError, match=r"part = .*(give I|must be 1 to)"):
        part_from(text)


def test_spaces_do_no_harm_and_a_part_says_its_name():
    assert str(part_from(" 8 / 8 ")) == "8/8"
