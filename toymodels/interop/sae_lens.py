"""SAELens: folders of a sparse autoencoder, or of a `SyntheticModel` that makes data for one.

- A sparse autoencoder: `sae_weights.safetensors` with `W_enc [hidden, latent]`, `W_dec [latent,
  hidden]`, `b_enc [latent]`, `b_dec [hidden]`, and `cfg.json`. Ours is `z = ReLU(E (h - c) + b)`,
  `y = D̂ z + c`; rows of `W_dec` of another length than 1 are divided out of E and b, and where
  `apply_b_dec_to_input` is false, b = b_enc + E c. Only the standard architecture, a ReLU without
  normalisation, is this function.
- A `SyntheticModel`: `synthetic_model.safetensors` with `feature_vectors [feature, hidden]`, `bias
  [hidden]`, `firing_probabilities [feature]`, and `synthetic_model_config.json`. It has no decoder:
  `h = feature_vectorsᵀ x + bias`. Active features are ReLU(normal), there is no uniform law: what
  we write has the mean and the standard deviation of ours.

Source: decoderesearch/SAELens, `sae_lens/saes/standard_sae.py`, `sae_lens/synthetic/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from flax import struct
from jax.scipy.special import ndtri

from toymodels.errors import InputError
from toymodels.fields import along_first_axis, array
from toymodels.interop.base import Arrays, Layout, Leaf
from toymodels.models.base import Model
from toymodels.models.sparse_autoencoder import SparseAutoencoder

# Of the normal whose positive part has the mean 1/2 and the variance 1/12 of a uniform number.
NORMAL_MEAN, NORMAL_SD = 0.49352122, 0.30205801

STANDARD = ("standard", "standard_training")


@dataclass(frozen=True)
class RectifiedNormal:
    """Active features are ReLU(N(mean, sd²)), a distribution as of `toymodels.features.base`."""

    mean: float = NORMAL_MEAN
    sd: float = NORMAL_SD

    def __call__(self, quantile: jax.Array) -> jax.Array:
        """Map quantiles in [0, 1) to values."""
        return jax.nn.relu(self.mean + self.sd * ndtri(quantile))


@struct.dataclass
class Embedding(Model):
    """`h = W x + c`: directions that nothing reads back."""

    W: jax.Array = array("hidden", "feature", words="directions of the features")  # [M, F]
    c: jax.Array = array("hidden", words="bias of the hidden state")  # [M]

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = W x + c`."""
        h = self.W @ x
        return h + along_first_axis(self.c, h)

    def decode(self, h: jax.Array) -> jax.Array:
        """Raise `InputError`: there is no decoder."""
        raise InputError("a SyntheticModel has no decoder: it has directions, and no outputs.")


def fold_dictionary(arrays: Arrays, about: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
    """Turn a standard autoencoder into ours, which has unit directions and subtracts c."""
    kind = about.get("architecture", "standard")
    others = {
        key: about[key]
        for key in ("normalize_activations", "reshape_activations")
        if about.get(key, "none") != "none"
    }
    if kind not in STANDARD or others or about.get("activation_fn_str", "relu") != "relu":
        said = {"architecture": kind, "activation": about.get("activation_fn_str", "relu")} | others
        told = ", ".join(f"{k} = {v}" for k, v in said.items())
        return arrays, [f"{told}: another function than ours; the decoder's directions are right"]
    W_enc, W_dec = (np.asarray(arrays[name], float) for name in ("W_enc", "W_dec"))
    b_enc, b_dec = (np.asarray(arrays[name], float) for name in ("b_enc", "b_dec"))
    notes = []
    if about.get("apply_b_dec_to_input") is False:
        b_enc = b_enc + b_dec @ W_enc
    elif "apply_b_dec_to_input" not in about:
        notes.append("no cfg.json: b_dec is taken to be subtracted from the input")
    length = np.linalg.norm(W_dec, axis=-1)
    scale = np.where(length > 0, length, 1.0)
    found = {"W_enc": W_enc * scale, "b_enc": b_enc * scale, "W_dec": W_dec / scale[:, None]}
    return arrays | found, notes


DICTIONARY = Layout(
    name="sae-lens",
    model=SparseAutoencoder,
    leaves={
        "E": Leaf("W_enc", ("hidden", "latent")),
        "D": Leaf("W_dec", ("latent", "hidden")),
        "b": Leaf("b_enc", ("latent",)),
        "c": Leaf("b_dec", ("hidden",)),
    },
    names_tell=True,
    fold=fold_dictionary,
    file="sae_weights.safetensors",
)

SYNTHETIC = Layout(
    name="sae-lens",
    model=Embedding,
    leaves={
        "W": Leaf("feature_vectors", ("feature", "hidden")),
        "c": Leaf("bias", ("hidden",)),
    },
    signature=("feature_vectors",),
    optional=frozenset({"c"}),
    names_tell=True,
    file="synthetic_model.safetensors",
)

CONFIGS = {DICTIONARY.file: "cfg.json", SYNTHETIC.file: "synthetic_model_config.json"}


def config_of_dictionary(n_hidden: int, n_latents: int) -> dict[str, Any]:
    """Return what `cfg.json` of one of our sparse autoencoders holds."""
    return {
        "architecture": "standard",
        "d_in": n_hidden,
        "d_sae": n_latents,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {},
    }


def config_of_synthetic(n_hidden: int, n_features: int, p_active: float) -> dict[str, Any]:
    """Return what `synthetic_model_config.json` holds for independent features, uniform on [0, 1].

    Densities that differ are in the weights, which SAELens takes after the config's.
    """
    return {
        "num_features": n_features,
        "hidden_dim": n_hidden,
        "firing_probability": {"generator_name": "constant", "probability": p_active},
        "hierarchy": None,
        "orthogonalization": None,
        "correlation": None,
        "mean_firing_magnitudes": NORMAL_MEAN,
        "std_firing_magnitudes": NORMAL_SD,
        "bias": False,
        "dtype": "float32",
        "seed": None,
    }
