"""How far a trained network of circuits is still the construction: neurons, dead zone.

Each circuit runs alone, its state scaled by a strength from 0 to 1: in the construction its
indicator comes out as the step of Linsefors & Bushnaq 2025 ("Rotations in Superposition", section
3), 0 up to the dead zone's end and 1 from its mirror on, and only its own copies are on.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError, require_range
from toymodels.fields import Field
from toymodels.models.circuit_network import CircuitNetwork
from toymodels.tasks.circuits import CircuitTask


@dataclass(frozen=True)
class CircuitStructure:
    """Where a circuit's activation is, on how many neurons, and how its indicator responds.

    Attributes:
        n_strengths: strengths from 0 to 1 at which the response is taken.
        n_phases: vectors of each circuit that are averaged over.
    """

    n_strengths: int = 21
    n_phases: int = 4

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.circuit_structure.n_strengths", self.n_strengths, 2, 1_000)
        require_range("measures.circuit_structure.n_phases", self.n_phases, 1, 1_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return means over circuits: by layer `[L]`, and of the last layer by strength `[K]`.

        They are NaN where a model has diverged.

        Raises:
            InputError: a model or a task that is none of circuits.
        """
        if not isinstance(model, CircuitNetwork) or not isinstance(run.task, CircuitTask):
            raise InputError(
                "measures.circuit_structure needs a network of circuits and their task, such as "
                f'model = task = "rotations", not {type(model).__name__}.'
            )
        task, finite = run.task, partial(nan_unless_finite, model)
        there = jnp.repeat(jnp.arange(task.room) < task.n_circuits, self.n_phases)
        neurons = model.activations(self._alone(task))
        own = [_own(model, i) for i in range(len(neurons))]
        strengths = jnp.linspace(0.0, 1.0, self.n_strengths)
        response = jax.lax.map(lambda s: self._response(task, model, s, there), strengths)
        return {
            "neurons_of_circuit": Field(
                finite(jnp.stack([_mean(_participation(A), there) for A in neurons])),
                ("layer",),
                "neurons that a circuit runs on when alone, (Σ a²)² / Σ a⁴",
            ),
            "own_share": Field(
                finite(
                    jnp.stack([self._share(*of, there) for of in zip(neurons, own, strict=True)])
                ),
                ("layer",),
                "share of a lone circuit's squared activation on its own copies",
            ),
            "response": Field(
                finite(response),
                ("strength",),
                "indicator read out of a lone circuit, by its strength",
            ),
            "strength_tested": Field(
                strengths, ("strength",), "what a circuit's input is scaled by"
            ),
        }

    def _alone(self, task: Any) -> jax.Array:
        """Return inputs `[f R, R P]` in which one circuit is active, each with P vectors."""
        one = jnp.repeat(jnp.eye(task.room), self.n_phases, axis=1)  # [R, R P]
        phase = jnp.tile(jnp.arange(self.n_phases) * (2 * jnp.pi / self.n_phases), task.room)
        given, _ = task.states(phase[None])
        return jnp.concatenate([one * value for value in given])

    def _response(self, task: Any, model: Any, strength: Any, there: jax.Array) -> jax.Array:
        on = model(strength * self._alone(task))[: task.room]  # [R, R P]
        own = jnp.repeat(jnp.eye(task.room), self.n_phases, axis=1)
        return _mean(jnp.sum(on * own, axis=0), there)

    def _share(self, A: jax.Array, own: jax.Array, there: jax.Array) -> jax.Array:
        mine = jnp.repeat(own, self.n_phases, axis=0).T  # [D, R P]
        return _mean(_ratio(jnp.sum(A**2 * mine, axis=0), jnp.sum(A**2, axis=0)), there)


def _own(model: CircuitNetwork, layer: int) -> jax.Array:
    """Return which neurons `[R, D]` the construction gives to each circuit in a layer, 0 or 1."""
    copies = model.copies[min(layer, model.copies.shape[0] - 1)].astype(jnp.int32)
    d = model.Q.shape[1]
    n = model.E.shape[0] // d
    of_one = jnp.max(jax.nn.one_hot(copies, n), axis=1)
    return jnp.tile(of_one, (1, d))


def _participation(A: jax.Array) -> jax.Array:
    return _ratio(jnp.sum(A**2, axis=0) ** 2, jnp.sum(A**4, axis=0))


def _ratio(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return a / b, 0 where nothing is on."""
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), 0.0)


def _mean(values: jax.Array, where: jax.Array) -> jax.Array:
    return jnp.sum(values * where) / jnp.sum(where)
