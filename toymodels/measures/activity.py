"""How often hidden units are on."""

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
class Activity:
    """The share of examples in which each hidden unit is above 0, and how many are on at a time.

    Attributes:
        n_examples: examples that are counted over.
    """

    n_examples: int = 8192

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.activity.n_examples", self.n_examples, 1, 1_000_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return `activity` of each unit and `n_on`, its sum."""
        x, _ = interpret(run.task, draw_batch(run.task, key, self.n_examples))
        share = nan_unless_finite(model, jnp.mean(hidden(model, x) > 0, axis=1))
        words = "share of examples in which a hidden unit is on"
        return {
            "activity": Field(share, ("latent",), words),
            "n_on": Field(jnp.sum(share), (), "hidden units that are on at a time"),
        }
