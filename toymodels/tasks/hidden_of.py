"""Reconstruct what another model's hidden layer holds."""

from typing import Any, Self

import jax
from flax import struct

from toymodels.errors import InputError
from toymodels.features.base import Features
from toymodels.models.base import hidden
from toymodels.tasks.base import UniformTask


@struct.dataclass
class HiddenOf(UniformTask):
    """Give back `h = encode(x)` of a trained model, which stays as it is: `Σ_m (h_m - y_m)²`.

    What a dictionary is learned from when the true directions are known: the columns of W.
    """

    features: Features
    model: Any

    outputs = "hidden"

    @classmethod
    def create(cls, trained: Any) -> Self:
        """Make the task from a model of another sweep and the run that trained it.

        Raises:
            InputError: the model's own inputs are no features.
        """
        task = trained.run.task
        if isinstance(task, cls) or not isinstance(getattr(task, "features", None), Features):
            raise InputError(
                'task = "hidden_of" studies models of features; those in [models] have the task '
                f"{type(task).__name__}."
            )
        return cls(features=task.features, model=trained.model)

    @property
    def n_uniforms(self) -> int:
        """U, as for one example of the model's own world."""
        return self.features.n_uniforms

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into a hidden state `h [M]`; its target is itself."""
        h = hidden(self.model, self.features.from_uniforms(u))
        return h, h

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `(h_m - y_m)²`, `[M]`."""
        return (target - output) ** 2
