"""The task of reconstructing another model's hidden states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweeps import parse, run_sweep
from sweeps.plan import TrainedModel
from toymodels.errors import InputError
from toymodels.features import Independent
from toymodels.models import ReluAutoencoder
from toymodels.tasks import Reconstruction
from toymodels.tasks.hidden_of import HiddenOf

W = np.array([[1.0, -1.0, 0.2], [0.0, 0.5, 1.0]], np.float32)


class Run:
    task = Reconstruction.create(Independent.create([0.2, 0.5, 0.9]))


def make_task():
    return HiddenOf.create(TrainedModel(Run, ReluAutoencoder(jnp.asarray(W), jnp.ones(3))))


def test_inputs_are_the_models_hidden_states_in_its_own_world():
    task = make_task()
    u = jax.random.uniform(jax.random.key(0), (task.n_uniforms, 50))
    h, target = task.from_uniforms(u)
    x = np.asarray(Run.task.features.from_uniforms(u))
    np.testing.assert_allclose(h, W @ x, atol=1e-6)
    np.testing.assert_array_equal(h, target)
    np.testing.assert_allclose(task.error(0 * h, h), np.asarray(h) ** 2)


@pytest.mark.claims
def test_a_linear_autoencoder_as_wide_as_the_hidden_layer_learns_it():
    """Its optimum is 0, whatever the model: two hidden dimensions through two."""
    models = {"model": "relu", "n_features": 3, "n_hidden": 2, "steps": 20}
    table = {"name": "h", "task": "hidden_of", "model": "linear", "n_features": 2, "n_hidden": 2}
    ds = run_sweep(table | {"steps": 800, "models": models, "grid": {"seed": {"range": 3}}})
    assert float(ds.loss.min()) < 1e-4
    assert parse(table | {"models": models}).models.name == "h.models"
    assert ds.loss_per_hidden.dims == ("seed", "hidden")


@pytest.mark.claims  # compiles for many seconds
def test_stages_stand_on_stages_and_hidden_states_of_hidden_states_are_refused():
    first = {"model": "relu", "n_features": 3, "n_hidden": 2, "steps": 5}
    going_on = {"model": "continued", "n_features": 3, "steps": 5, "models": first}
    own = {"task": "hidden_of", "model": "sparse_autoencoder", "n_latents": 4, "steps": 5}
    assert run_sweep(own | {"name": "a", "models": going_on}).D.shape == (2, 4)
    with pytest.raises(InputError, match=r"studies models of features.*HiddenOf"):
        run_sweep(own | {"name": "b", "models": own | {"models": first}})
