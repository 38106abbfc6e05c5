"""Which rotation circuits a network runs while the inputs of the others hold noise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.compiled import jit
from toymodels.models.circuit_network import CircuitNetwork
from toymodels.tasks.circuits import RotationTask


def circuit_errors(
    task: RotationTask, model: CircuitNetwork, noise: np.ndarray, n_samples: int
) -> np.ndarray:
    """Return each circuit's mean |x̂ - x|² where it alone is active, `[noise, T]`.

    Answering 0 errs by 1. Noise is uniform on [-ε, ε], on each of the three values of every other
    circuit.

    Args:
        task: T circuits, and how many layers they turn in.
        model: the network.
        noise: sizes ε, `[noise]`.
        n_samples: phases of each circuit, evenly spaced.
    """
    found = [_errors(task, model, jnp.float32(size), n_samples=n_samples) for size in noise]
    return np.stack(found)[:, : int(task.n_circuits)]


@partial(jit, static_argnames="n_samples")
def _errors(
    task: RotationTask, model: CircuitNetwork, size: jax.Array, *, n_samples: int
) -> jax.Array:
    phase = 2 * jnp.pi * (jnp.arange(n_samples) + 0.5) / n_samples
    given, wanted = task.states(phase)  # f of [B], f of [B] or [R, B]
    there = (jnp.arange(task.room) < task.n_circuits)[None, :, None]
    shape = (task.values, task.room, n_samples)
    others = jax.random.uniform(jax.random.key(0), shape, minval=-1.0)
    others = size * jnp.where(there, others, 0.0)

    def of_circuit(t: jax.Array) -> jax.Array:
        x = others.at[:, t].set(jnp.stack(given)).reshape(-1, n_samples)
        y = model(x).reshape(shape)[:, t]
        truth = [values if values.ndim == 1 else values[t] for values in wanted]
        error = (y - jnp.stack(truth)) ** 2  # of the indicator and of the vector
        return jnp.sum(jnp.mean(error[1:], axis=-1))

    return jax.lax.map(of_circuit, jnp.arange(task.room))
