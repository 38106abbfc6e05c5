"""Each layout holds a model whole: written and read it has the same expected loss."""

import numpy as np
import pytest

from toymodels import interop
from toymodels.errors import InputError
from toymodels.exact.oracle import expected_loss_of_map_float64
from toymodels.interop.layouts import LAYOUTS
from toymodels.models import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder
from toymodels.models.hidden_relu import HiddenReluAutoencoder

RNG = np.random.default_rng(3)
W, V, B = (RNG.normal(size=s).astype(np.float32) for s in ((2, 3), (3, 2), (3,)))
TIED, UNTIED = ReluAutoencoder(W=W, b=B), UntiedAutoencoder(W=W, V=V, b=B)
P, IMPORTANCE = 0.3, (1.0, 0.8, 0.6)


def loss(model):
    """The expected loss, along the path that takes no compiled program."""
    G = model.V @ model.W if hasattr(model, "V") else model.W.T @ model.W
    return float(np.sum(expected_loss_of_map_float64(G, model.b, P, IMPORTANCE)))


BOTH = ("toymodels", "spd", "param-decomp", "devinterp")
ROUND_TRIPS = [(name, TIED) for name in (*BOTH, "notebook", "arena")] + [(n, UNTIED) for n in BOTH]


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize(("layout", "model"), ROUND_TRIPS)
def test_a_model_has_the_same_loss_in_every_layout(tmp_path, layout, model, ending):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"model.{ending}"
    interop.write(path, model, layout, {"p_active": P, "importance": IMPORTANCE})
    reading = interop.read(path)
    (again,), (about,) = reading.models, reading.about
    assert (reading.layout, type(again)) == (layout, type(model))
    assert loss(again) == pytest.approx(loss(model), rel=1e-6)
    assert (about["p_active"], about["importance"]) == (P, list(IMPORTANCE))
    assert not reading.notes


AXES = {
    "notebook": {"W": (1, 3, 2), "b_final": (1, 3)},
    "arena": {"W": (1, 2, 3), "b_final": (1, 3)},
    "spd": {"linear1.weight": (2, 3), "linear2.weight": (3, 2), "linear2.bias": (3,)},
    "param-decomp": {"W1": (2, 3), "W2": (3, 2), "b2": (3,)},
    "devinterp": {"embedding.weight": (2, 3), "unembedding.weight": (3, 2), "unembedding.bias": 3},
    "toymodels": {"W": (2, 3), "b": (3,)},
}


@pytest.mark.parametrize("layout", AXES)
def test_names_and_shapes_are_those_of_the_other_program(tmp_path, layout):
    """Three features in two dimensions; as their sources declare them."""
    interop.write(tmp_path / "m.npz", TIED, layout)
    with np.load(tmp_path / "m.npz") as file:
        shapes = {name: file[name].shape for name in file}
    assert shapes == {n: (s,) if isinstance(s, int) else s for n, s in AXES[layout].items()}


@pytest.mark.parametrize("layout", ["notebook", "arena", "toymodels"])
def test_several_models_stand_on_the_first_axis(tmp_path, layout):
    other = TIED.replace(b=TIED.b + 1)
    interop.write(tmp_path / "m.npz", [TIED, other], layout, [{"seed": 0}, {"seed": 1}])
    reading = interop.read(tmp_path / "m.npz")
    assert [m.b[0] for m in reading.models] == [TIED.b[0], other.b[0]]
    assert [a["seed"] for a in reading.about] == [0, 1]


@pytest.mark.parametrize("layout", ["devinterp", "toymodels"])
def test_a_sidecar_says_that_a_model_has_no_relu(tmp_path, layout):
    model = LinearAutoencoder(W=W, b=B)
    interop.write(tmp_path / "m.npz", model, layout)
    (again,) = interop.read(tmp_path / "m.npz").models
    assert type(again) is LinearAutoencoder
    np.testing.assert_array_equal(again.W, W)


def test_our_own_layout_holds_every_class_of_its_leaves(tmp_path):
    interop.write(tmp_path / "m.npz", HiddenReluAutoencoder(W=W, b=B), "toymodels")
    assert type(interop.read(tmp_path / "m.npz").models[0]) is HiddenReluAutoencoder


def test_linear_layers_in_between_are_multiplied_into_W():
    """H₁ H₀ W is the encoder: SPD's `hidden_layers`, param-decomp's `hidden`."""
    H0, H1 = (RNG.normal(size=(2, 2)) for _ in range(2))
    spd = {"linear1.weight": W, "linear2.weight": V, "linear2.bias": B}
    spd |= {"hidden_layers.1.weight": H1, "hidden_layers.0.weight": H0}
    jax = {"W1": W, "W2": V, "b2": B, "hidden.0": H0, "hidden.1": H1}
    for arrays in (spd, jax):
        reading = interop.read(arrays)
        np.testing.assert_allclose(reading.models[0].W, H1 @ H0 @ W, rtol=1e-5)
        assert "2 linear layers in between" in reading.notes[0]


def test_a_bias_of_the_hidden_layer_goes_into_that_of_the_output():
    c, x = np.array([0.5, -1.0]), np.array([0.2, 0.7, 0.0])
    arrays = {"embedding.weight": W, "unembedding.weight": V, "embedding.bias": c}
    (model,) = interop.read(arrays | {"unembedding.bias": B}).models
    np.testing.assert_allclose(model(x), np.maximum(V @ (W @ x + c) + B, 0), rtol=1e-5)
    (model,) = interop.read(arrays).models
    np.testing.assert_allclose(model(x), np.maximum(V @ (W @ x + c), 0), rtol=1e-5)


def test_a_misspelt_layout_is_told_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'notebook'"):
        interop.read({"W": W}, "notebok")
    assert set(LAYOUTS) == {*AXES, "sae-lens"}
