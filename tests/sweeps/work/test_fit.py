"""Decompositions of hidden states: what PCA and ICA must find where the answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweeps import run_sweep
from sweeps.plan import TrainedModel
from sweeps.work.fit import Fit
from toymodels.features import Independent
from toymodels.measures.dictionary import scores
from toymodels.models import ReluAutoencoder
from toymodels.tasks import Reconstruction
from toymodels.tasks.hidden_of import HiddenOf

pytest.importorskip("sklearn")

# Two independent sources that are not at right angles.
W = np.array([[1.0, 0.8], [0.0, 0.6]], np.float32)


class Run:
    task = Reconstruction.create(Independent.create([0.1, 0.1]))


def directions(method, n=20_000):
    model = ReluAutoencoder(jnp.asarray(W), jnp.zeros(2))
    study = Fit().cell(HiddenOf.create(TrainedModel(Run, model)), method, n)
    return Fit().compute(study, jax.random.key(0))["directions"].values


def test_ica_finds_the_sources_and_pca_the_axes_of_most_variance():
    assert scores(directions("ica"), W).unsigned > 0.995
    found = directions("pca")
    assert abs(found[:, 0] @ found[:, 1]) < 1e-6
    _, axes = np.linalg.eigh(W @ W.T)  # equal variances: the covariance is W Wᵀ times one
    assert abs(axes[:, 1] @ found[:, 0]) > 0.995


def test_a_sweep_fits_each_model_of_another_sweep():
    models = {"model": "relu", "n_features": 3, "n_hidden": 2, "steps": 10}
    models |= {"grid": {"p_active": [0.1, 0.5], "seed": {"range": 2}}}
    table = {"name": "f", "work": "fit", "task": "hidden_of", "n_samples": 200}
    ds = run_sweep(table | {"models": models, "grid": {"decomposition": ["pca", "ica"]}})
    assert ds.directions.dims == (
        "model_p_active",
        "model_seed",
        "decomposition",
        "hidden",
        "latent",
    )
    assert ds.model_W.dims == ("model_p_active", "model_seed", "decomposition", "hidden", "feature")
    pca = ds.directions.sel(decomposition="pca").values
    gram = np.einsum("psmk,psml->pskl", pca, pca)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-5)
