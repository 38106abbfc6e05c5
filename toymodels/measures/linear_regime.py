"""How often a hidden layer with ReLUs is linear."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import require_range
from toymodels.fields import Field
from toymodels.models.base import hidden
from toymodels.tasks.base import draw_batch, interpret


@dataclass(frozen=True)
class LinearRegime:
    """The share of examples in which every hidden unit is above 0, where its ReLU does nothing.

    Attributes:
        n_examples: examples that are counted over.
    """

    n_examples: int = 8192

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.linear_regime.n_examples", self.n_examples, 1, 1_000_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return `all_on`."""
        x, _ = interpret(run.task, draw_batch(run.task, key, self.n_examples))
        share = jnp.mean(jnp.all(hidden(model, x) > 0, axis=0))
        words = "share of examples in which every hidden unit is above 0"
        return {"all_on": Field(nan_unless_finite(model, share), (), words)}
