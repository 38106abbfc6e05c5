"""SAELens' folders: the same function of a dictionary, the same moments of a SyntheticModel."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.interop import read, write
from toymodels.interop.sae_lens import RectifiedNormal
from toymodels.models import ReluAutoencoder
from toymodels.models.sparse_autoencoder import SparseAutoencoder

RNG = np.random.default_rng(0)
H = RNG.normal(size=2).astype(np.float32)
THEIRS = {
    "W_enc": RNG.normal(size=(2, 4)),
    "W_dec": RNG.normal(size=(4, 2)),
    "b_enc": RNG.normal(size=4),
    "b_dec": RNG.normal(size=2),
}

pytest.importorskip("safetensors")


def answer(arrays, h, subtract):
    """What their `encode` and `decode` do."""
    z = np.maximum((h - subtract * arrays["b_dec"]) @ arrays["W_enc"] + arrays["b_enc"], 0)
    return z @ arrays["W_dec"] + arrays["b_dec"]


def folder_of(path, arrays, **config):
    from safetensors.numpy import save_file

    path.mkdir()
    save_file({k: np.float32(v) for k, v in arrays.items()}, path / "sae_weights.safetensors")
    (path / "cfg.json").write_text(json.dumps({"architecture": "standard"} | config))
    return path


@pytest.mark.parametrize("subtract", [True, False])
def test_a_dictionary_answers_as_theirs_does(tmp_path, subtract):
    folder = folder_of(tmp_path / "sae", THEIRS, apply_b_dec_to_input=subtract)
    reading = read(folder)
    np.testing.assert_allclose(reading.models[0](H), answer(THEIRS, H, subtract), rtol=1e-5)
    assert (reading.layout, reading.notes) == ("sae-lens", ())
    again = read(folder / "sae_weights.safetensors")  # the file itself finds its config too
    np.testing.assert_array_equal(again.models[0].b, reading.models[0].b)


def test_another_architecture_is_noted(tmp_path):
    folder = folder_of(tmp_path / "sae", THEIRS, architecture="topk")
    assert "another function than ours" in read(folder).notes[0]


def test_a_dictionary_of_ours_is_theirs(tmp_path):
    E, D, b, c = (jnp.asarray(RNG.normal(size=s)) for s in ((4, 2), (2, 4), 4, 2))
    ours = SparseAutoencoder(E=E, D=D, b=b, c=c)
    files = write(tmp_path / "sae", ours, "sae-lens")
    from safetensors.numpy import load_file

    config = json.loads(files[1].read_text())
    assert (config["d_in"], config["d_sae"], config["architecture"]) == (2, 4, "standard")
    theirs = answer(load_file(files[0]), H, config["apply_b_dec_to_input"])
    np.testing.assert_allclose(theirs, ours(H), rtol=1e-5)
    np.testing.assert_allclose(read(tmp_path / "sae").models[0](H), ours(H), rtol=1e-5)


def test_a_synthetic_model_has_our_directions_and_densities(tmp_path):
    W = RNG.normal(size=(2, 3)).astype(np.float32)
    model = ReluAutoencoder(W=W, b=np.zeros(3))
    files = write(tmp_path / "data", model, "sae-lens", {"p_active": [0.1, 0.2, 0.3]})
    assert "mean and standard deviation of uniform" in files[2].read_text()
    reading = read(tmp_path / "data")
    np.testing.assert_array_equal(reading.models[0].W, W)
    np.testing.assert_allclose(reading.models[0].encode(np.ones(3)), W.sum(1), rtol=1e-5)
    assert reading.about[0]["p_active"] == [0.1, 0.2, 0.3]
    with pytest.raises(InputError, match="no decoder"):
        reading.models[0](np.ones(3))
    with pytest.raises(InputError, match="independent, positive features"):
        write(tmp_path / "x", model, "sae-lens", {"p_active": 0.1, "features": "signed"})


def test_their_normal_has_the_mean_and_variance_of_our_uniform_values():
    u = (jnp.arange(200_000) + 0.5) / 200_000
    x = jax.jit(RectifiedNormal())(u)
    assert float(x.mean()) == pytest.approx(1 / 2, abs=1e-4)
    assert float(x.var()) == pytest.approx(1 / 12, abs=1e-4)
