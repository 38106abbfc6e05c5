"""What is left of a feature's error while it is active: which features are served, which are not.

Ferreira da Silva & Heimersheim (arXiv 2607.04800) tell the two answers of compressed computation
apart by it: one neuron for each of half of the features leaves errors that differ as much as they
can, all features together leave the same error each.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError, require_range
from toymodels.fields import Field
from toymodels.models.base import apply_batch
from toymodels.tasks.base import draw_batch


@dataclass(frozen=True)
class ActiveError:
    """The squared error of each output while its feature is active and its target is not 0.

    Each feature is active in all of its examples, at values that lie evenly in its distribution;
    the others are drawn as they are in the world. Few examples then do for sparse features.

    Attributes:
        n_examples: examples of each feature.
    """

    n_examples: int = 2048

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.active_error.n_examples", self.n_examples, 2, 1_000_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return `active_error` of each feature, their mean and `error_spread`, sd over mean.

        Raises:
            InputError: a task without features or without a target of them.
        """
        task = run.task
        if not hasattr(task, "features") or not hasattr(task, "target"):
            raise InputError(
                f"measures.active_error knows tasks with a target of each feature, not "
                f"{type(task).__name__}: leave it out of measures."
            )
        x = task.features.from_uniforms(draw_batch(task, key, self.n_examples))
        values = task.features.distribution((jnp.arange(self.n_examples) + 0.5) / self.n_examples)

        def of_feature(i: jax.Array) -> jax.Array:
            inputs = x.at[i].set(values)
            target = task.target(inputs)[i]
            error = (apply_batch(model, inputs)[i] - target) ** 2
            asked = target != 0
            return jnp.sum(jnp.where(asked, error, 0.0)) / jnp.maximum(jnp.sum(asked), 1)

        error = nan_unless_finite(model, jax.lax.map(of_feature, jnp.arange(x.shape[0])))
        mean = jnp.mean(error)
        return {
            "active_error": Field(error, ("feature",), "squared error of an active feature"),
            "active_error_mean": Field(mean, (), "squared error of an active feature, mean"),
            "error_spread": Field(
                jnp.std(error) / jnp.where(mean > 0, mean, 1.0),
                (),
                "spread of active features' errors, standard deviation over mean",
            ),
        }
