"""The expected loss of any number of features, by Fourier series: nothing is drawn.

See `toymodels.exact.fourier`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import require_range
from toymodels.estimators.base import loss_of_zero, refuse_world
from toymodels.estimators.quadrature import refuse_model
from toymodels.exact.fourier import MOST_TERMS, TERMS, expected_loss_of_map_fourier
from toymodels.fields import static


@struct.dataclass
class Fourier:
    """Sum terms of the series, up to the K-th.

    Attributes:
        terms: K, terms of the series.
    """

    terms: int = static(default=TERMS)

    name = "fourier"
    draws = False

    def __post_init__(self) -> None:
        """Check the number of terms."""
        require_range("terms", self.terms, 1, MOST_TERMS)

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing: independent uniform features, `y = ReLU(G x + b)`."""
        return refuse_world(task) or refuse_model(model)

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw nothing, `[0, B]`."""
        return jnp.zeros((0, n_examples))

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of each output, `[F]`."""
        G, b = model.relu_map()
        p, importance = task.features.p_active, task.importance
        return expected_loss_of_map_fourier(G, b, p, importance, self.terms)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of the constant answer 0."""
        return loss_of_zero(task)

    def work_bytes(self, task: Any) -> int:
        """Return the bytes that one model's loss works on."""
        return 8 * np.shape(task.importance)[-1] ** 2 * self.terms
