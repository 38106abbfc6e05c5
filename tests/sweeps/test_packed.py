"""A block's result as arrays: what comes back is what was kept, of a block that was cut alike."""

import dataclasses

import numpy as np

from sweeps.packed import is_of, pack, pack_all, unpack
from sweeps.plan import Block, Layout, Program
from sweeps.work.base import Output
from toymodels.fields import Field

POINTS = np.array([[0, 2], [1, 3]])
PROGRAM = Program(None, None, (7, 9), POINTS)
BLOCK = Block(PROGRAM, np.arange(2), np.arange(2), Layout(2, 2), POINTS)


def test_a_block_comes_back_from_arrays_as_it_was():
    fields = {
        "loss": Field(np.ones((2, 2), np.float32), (), "the loss"),
        "cut/points": Field(np.zeros((2, 2)), (), "a name like one of ours"),
        "file": Field(np.ones((2, 2)), ()),
        "label": Field(np.zeros((2, 2, 1), np.int8), ("step",), "x", ("a b", "c")),
    }
    arrays = pack(BLOCK, Output(fields, {"step": np.array([5])}))
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in arrays.values())
    again = unpack(arrays)
    assert list(again.fields) == list(fields)
    for name, field in fields.items():
        found = again.fields[name]
        np.testing.assert_array_equal(found.values, field.values)
        assert (found.dims, found.words, found.meanings) == (
            field.dims,
            field.words,
            field.meanings,
        )
    np.testing.assert_array_equal(again.coords["step"], [5])
    assert is_of(BLOCK, arrays)


def test_what_a_program_does_not_keep_is_not_packed():
    fields = {"loss": Field(np.ones((2, 2)), ()), "diverged": Field(np.zeros((2, 2)), ())}
    fields["curve"] = Field(np.ones((2, 2, 1)), ("step",))
    block = dataclasses.replace(BLOCK, program=dataclasses.replace(PROGRAM, keep=("loss",)))
    output = Output(fields, {"step": np.array([5])})
    again = unpack(pack(block, output))
    assert (set(again.fields), again.coords) == ({"loss", "diverged"}, {})
    assert set(unpack(pack_all(block, output)).fields) == set(fields)  # as half of it is kept
    fields.pop("loss")  # another kind of work gives it
    assert set(unpack(pack(block, output)).fields) == {"diverged"}


def test_a_block_of_other_points_or_of_another_layout_is_told_apart():
    arrays = pack(BLOCK, Output({}, {}))
    assert not is_of(dataclasses.replace(BLOCK, points=POINTS.T), arrays)
    assert not is_of(dataclasses.replace(BLOCK, layout=Layout(2, 1)), arrays)
    spread = dataclasses.replace(BLOCK, layout=Layout(2, 2, devices=(1, 2)))
    assert not is_of(spread, arrays)
    assert not is_of(BLOCK, pack(spread, Output({}, {})))
    assert not is_of(BLOCK, {})
