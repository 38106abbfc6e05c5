"""What counts as the same output of a notebook, and what does not."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from figures.command.notebooks import alike, differences


def notebook(*outputs, tags=()):
    cell = new_code_cell("", outputs=list(outputs), metadata={"tags": list(tags)})
    return new_notebook(cells=[cell])


def printed(text):
    return new_output("stream", name="stdout", text=text)


PICTURE = new_output("display_data", data={"image/png": "", "text/plain": "<Figure>"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss 0.12345", "loss 0.12350"),  # 4e-4 of it
        ("loss 0.40", "loss 0.41"),  # rounded here and there
        ("[ 1. -0. ]", "[ 1.  0. ]"),
        ("11,200 models", "11,201 models"),
        ("57%–93%", "57%–94 %"),
        ("[0.5 1. ]", "[0.499 1.001]"),
        ("off by 5e-07", "off by 1e-07"),
        ("W = [[ 0.5]]", "W = [[0.5 ]]"),
    ],
)
def test_rounding_is_no_difference(old, new):
    assert alike(old, new)
    assert alike(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss 0.1234", "loss 0.1244"),
        ("pentagon", "digon + digon"),
        ("five of 16", "five of 16 seeds"),
        ("[1. 2.]", "[1. 2. 3.]"),
        ("0.40", "0.43"),
        ("5 features", "6 features"),
        ("[1. 0. 1.]", "[1. 1. 1.]"),
        ("D = [0.5]", "D = [0.36]"),
        ("nan", "0.5"),
        ("-1.5", "1.5"),
    ],
)
def test_another_word_or_number_is_a_difference(old, new):
    assert not alike(old, new)
    assert not alike(new, old)


def test_numbers_that_count_runs_may_differ_by_two_of_sixteen():
    old, new = "in 81% of 16 seeds", "in 94% of 16 seeds"
    assert not alike(old, new)
    assert alike(old, new, loose=True)
    assert not alike(old, "in 50% of 16 seeds", loose=True)
    assert alike("12 of 16", "14 of 16", loose=True)
    assert not alike("12 of 16", "15 of 16", loose=True)
    stored, again = (notebook(printed(text), tags=["statistical"]) for text in (old, new))
    assert not list(differences(stored, again))


def test_what_differs_is_said_with_its_cell():
    stored, again = notebook(printed("a 1.00\nb 2.00\n")), notebook(printed("a 1.00\nb 3.00\n"))
    (told,) = differences(stored, again)
    assert told.splitlines()[1:] == ["  stored  b 2.00", "  now     b 3.00"]
    (told,) = differences(stored, notebook(printed("a 1.00\n")))
    assert told.endswith("2 lines are stored, 1 printed")
    (told,) = differences(notebook(PICTURE), notebook())
    assert told.endswith("1 pictures are stored, 0 drawn")
    assert not list(differences(notebook(PICTURE), notebook(PICTURE)))
