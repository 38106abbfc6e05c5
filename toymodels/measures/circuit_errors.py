"""Errors of a trained network of circuits by layer, with other numbers of active circuits too."""

from dataclasses import dataclass
from typing import Any, Self

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError, require_range
from toymodels.fields import Field
from toymodels.models.circuit_network import CircuitNetwork
from toymodels.tasks.base import draw_batch, interpret
from toymodels.tasks.circuits import SWITCHED, CircuitTask

# Dimensions of an error: the tested number of active circuits, the layer.
_BY_LAYER = ("tested_active", "layer")


@dataclass(frozen=True)
class CircuitErrors:
    """Mean squared errors of the on-indicator and of all other values together, by layer.

    A circuit's truth in layer l is what it holds after l of its own steps; an inactive circuit's is
    0. The other values are x of a rotation circuit (|x| = 1). Step circuits have none: NaN. So are
    all errors of a model that has diverged, and of more active circuits than there are.
    """

    n_active: tuple[int, ...]  # z
    n_layers: int
    n_examples: int

    @classmethod
    def create(
        cls,
        n_active: list[int] = [1, 2, 3, 4],  # noqa: B006 - read, never changed
        n_layers: int = 0,
        n_examples: int = 2048,
    ) -> Self:
        """Make the measure.

        Args:
            n_active: numbers of active circuits that are tested, whatever was trained.
            n_layers: layers that are tested, or 0 for the network's own; more need tied layers.
            n_examples: examples of each test.

        Raises:
            InputError: a number out of range.
        """
        for z in n_active or [0]:
            require_range("measures.circuit_errors.n_active", z, 1, 1_000)
        require_range("measures.circuit_errors.n_layers", n_layers, 0, 10_000)
        require_range("measures.circuit_errors.n_examples", n_examples, 1, 1_000_000)
        return cls(tuple(n_active), n_layers, n_examples)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return errors of active and inactive circuits `[Z, L]`, and of each when active `[R]`.

        Raises:
            InputError: a model or a task that is none of circuits.
        """
        if not isinstance(model, CircuitNetwork) or not isinstance(run.task, CircuitTask):
            raise InputError(
                "measures.circuit_errors needs a network of circuits and their task, such as "
                f'model = task = "rotations", not {type(model).__name__}.'
            )
        longer = model.longer(self.n_layers or model.n_layers)
        found = [self._tested(run.task, longer, z, key) for z in self.n_active]
        fields = {
            name: Field(jnp.stack([of_z[name] for of_z in found]), _BY_LAYER, words)
            for name, words in WORDS.items()
        }
        each = jnp.stack([of_z["of_circuit"] for of_z in found])
        of_what = "indicator" if run.task.values == 1 else "x"
        words = f"mean squared error of {of_what} of each circuit where it is active, last layer"
        tested = jnp.asarray(self.n_active)
        return fields | {
            "mse_of_circuit": Field(each, ("tested_active", "circuit"), words),
            "n_active_tested": Field(tested, ("tested_active",), "circuits active in a test"),
        }

    def _tested(self, task: Any, model: Any, z: int, key: jax.Array) -> dict[str, jax.Array]:
        test = task.replace(
            n_active=jnp.minimum(jnp.float32(z), task.n_circuits), room_active=max(self.n_active)
        )
        u = draw_batch(test, key, self.n_examples)
        x, _ = interpret(test, u)
        shape = (task.values, task.room, self.n_examples)
        there = (jnp.arange(task.room) < task.n_circuits)[:, None]
        has_x, rows = task.values > 1, []
        for layer, y in enumerate(model.read(model.activations(x)), start=1):
            _, truth = interpret(test.replace(n_layers=jnp.float32(layer)), u)
            error = (y.reshape(shape) - truth.reshape(shape)) ** 2
            on = (truth.reshape(shape)[0] > SWITCHED) & there
            first = error[0]
            others = jnp.sum(error[1:], axis=0) if has_x else jnp.full_like(first, jnp.nan)
            own = others if has_x else first
            rows.append(
                {
                    "mse_on_active_tested": _mean(first, on),
                    "mse_on_inactive_tested": _mean(first, ~on & there),
                    "mse_x_active_tested": _mean(others, on),
                    "mse_x_inactive_tested": _mean(others, ~on & there),
                    "dropped_tested": _mean(y.reshape(shape)[0] < SWITCHED, on),
                    "spurious_tested": _mean(y.reshape(shape)[0] > SWITCHED, ~on & there),
                    "of_circuit": jnp.sum(own * on, axis=1) / jnp.sum(on, axis=1),
                }
            )
        found = {name: jnp.stack([row[name] for row in rows]) for name in rows[0]}
        found["of_circuit"] = found["of_circuit"][-1]  # NaN where it is never active
        fits = z <= task.n_circuits  # else fewer would be tested than the row says
        return {
            name: nan_unless_finite(model, jnp.where(fits, values, jnp.nan))
            for name, values in found.items()
        }


WORDS = {
    "mse_on_active_tested": "mean of (indicator - 1)^2 over active circuits",
    "mse_on_inactive_tested": "mean of indicator^2 over inactive circuits",
    "mse_x_active_tested": "mean of |x - true x|^2 over active circuits",
    "mse_x_inactive_tested": "mean of |x|^2 over inactive circuits",
    "dropped_tested": "share of active circuits whose indicator is below 1/2",
    "spurious_tested": "share of inactive circuits whose indicator is above 1/2",
}


def _mean(values: jax.Array, where: jax.Array) -> jax.Array:
    """Average over what is marked; NaN where nothing is."""
    return jnp.sum(values * where) / jnp.sum(where)
