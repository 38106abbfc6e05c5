"""Which way a matrix lies is never guessed; what a file holds is understood, or said."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.interop import read, reading
from toymodels.models import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder

W = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
B = np.linspace(-0.2, 0.3, 5).astype(np.float32)
SQUARE = np.eye(3) + 0.1


def test_a_lone_matrix_with_more_rows_than_columns_is_asked_about():
    with pytest.raises(InputError, match=r"\(5, 2\).*5 dimensions for 2 features.*--transpose"):
        read({"W": W.T})
    np.testing.assert_array_equal(read({"W": W.T}, transpose=True).models[0].W, W)
    assert read({"W": W.T}, "toymodels").models[0].W.shape == (5, 2)


def test_a_bias_that_fits_the_other_axis_alone_is_a_reason_to_transpose():
    with pytest.raises(InputError, match="but turned they do: add --transpose"):
        read({"W": W.T, "b": B})
    np.testing.assert_array_equal(read({"W": W.T, "b": B}, transpose=True).models[0].W, W)


def test_a_bias_proves_a_wide_hidden_layer():
    assert read({"W": W.T, "b": B[:2]}).models[0].W.shape == (5, 2)


def test_the_bias_tells_the_notebook_from_arena():
    for arrays, layout in (({"W": W.T}, "notebook"), ({"W": W}, "arena")):
        reading = read(arrays | {"b_final": B})
        assert reading.layout == layout
        np.testing.assert_array_equal(reading.models[0].W, W)
        np.testing.assert_array_equal(reading.models[0].b, B)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"W": SQUARE, "b_final": np.zeros(3)}, "could be notebook, arena: say which with --as"),
        ({"W": W[None], "b_final": B}, "do not fit together as notebook's .*arena's"),
        ({"W": W, "V": W, "b": B}, r"W \(2, 5\), V \(2, 5\), b \(5,\) do not fit"),
        ({"a": W, "c": B}, "no layout that is known"),
        ({}, "no layout that is known"),
        ({"W": W.astype(complex)}, "real numbers"),
        ({"W": np.zeros((0, 5))}, "at least one"),
        ({"W": np.array(["x"])}, "real numbers|no layout|do not fit"),
        ({"linear1.weight": W, "linear2.bias": B}, "no layout that is known"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_shapes(arrays, told):
    with pytest.raises(InputError, match=told):
        read(arrays)


def test_a_missing_leaf_of_a_named_layout_is_named():
    with pytest.raises(InputError, match=r'"spd" needs linear1.weight; here is W \(2, 5\)'):
        read({"W": W}, "spd")


def test_what_was_assumed_is_noted():
    assert read({"W": SQUARE}).notes[0] == "W is square: nothing tells its rows from its columns"
    assert "no b: b = 0" in read({"W": W}).notes
    assert read({"W": W, "b": B, "step": np.array(3)}).notes == ("not read: step",)
    named = {f"module.{k}": v for k, v in {"W1": W, "W2": W.T, "b2": B}.items()}
    assert read(named).notes == ("all names begin with 'module.'",)


def test_any_name_does_for_a_single_matrix():
    assert read({"anything": W}).models[0].W.shape == (2, 5)


def test_a_decoder_that_is_the_transpose_makes_a_tied_model():
    tied = read({"W1": W, "W2": W.T, "b2": B}).models[0]
    assert type(tied) is ReluAutoencoder
    assert type(read({"W1": W, "W2": 2 * W.T, "b2": B}).models[0]) is UntiedAutoencoder


def test_without_a_relu_only_a_tied_model_is_known():
    assert type(read({"W": W, "b": B}, linear=True).models[0]) is LinearAutoencoder
    with pytest.raises(InputError, match="no linear model with the weights of UntiedAutoencoder"):
        read({"W1": W, "W2": 2 * W.T, "b2": B}, linear=True)


def test_models_whose_biases_no_layout_holds_are_refused_by_name():
    for name in reading.UNREAD:
        with pytest.raises(InputError, match=f"model = '{name}': no layout holds the biases"):
            reading._kind(None, name)
