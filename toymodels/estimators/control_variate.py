"""Take the part of the loss that is linear in closed form, and sample what the cut at zero changes.

For y = ReLU(z), z = V W x + b, the error of output j is written as

    (x_j - y_j)² = c_j (x_j - z_j)² + [(x_j - y_j)² - c_j (x_j - z_j)²].

The first term is quadratic in x: with means μ and variances D of independent features,

    E (x_j - z_j)² = D_j - 2 D_j V_j·W_j + V_j (W D Wᵀ) V_jᵀ + (μ_j - V_j·W μ - b_j)².

Only the bracket is sampled. Where z_j > 0 and c_j = 1 it is zero, and so is its noise: a feature
that is not represented, whose answer is its bias, adds none to the others' gradient. c_j is the
share of examples with z_j > 0 (z_j taken as normal), a number of the weights and not of the batch,
held constant in the gradient: the estimate of the loss, and of its gradient, has no bias.

A control variate in the usual sense (Owen, "Monte Carlo theory, methods and examples", chapter 8).
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jax.scipy.stats import norm

from toymodels.diverged import nan_unless_finite
from toymodels.estimators.base import loss_of_zero, refuse_world
from toymodels.fields import along_first_axis
from toymodels.models.base import has_map
from toymodels.precision import TINY, product
from toymodels.streams import draw_uniforms


@struct.dataclass
class ControlVariate:
    """Plain batches of which only what the ReLU cuts off is noise: for features that are dense."""

    name = "control_variate"
    draws = True

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing: independent uniform features, `y = ReLU(V W x + b)`."""
        why = refuse_world(task)
        if why or has_map(model, "relu_factors"):
            return why
        name = (model if isinstance(model, type) else type(model)).__name__
        return (
            f"knows models y = ReLU(V W x + b), which have `relu_factors`; {name} has none: use "
            "another"
        )

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw uniforms `[U, B]`."""
        return draw_uniforms(key, (task.n_uniforms, n_examples))

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the loss of each output, `[F]`: its linear part exactly, the rest from `u`."""
        V, W, b = model.relu_factors()
        mean, variance = _moments(task.features.p_active)
        x = task.features.from_uniforms(u)
        z = V @ (W @ x)
        z += along_first_axis(b, z)
        spread = jnp.sum(product(V, product(W * variance[None, :], W.T)) * V, axis=1)  # of z_j
        own = jnp.sum(V * W.T, axis=1)
        centre = product(V, product(W, mean)) + b
        linear = variance - 2 * variance * own + spread + (mean - centre) ** 2
        share = jax.lax.stop_gradient(norm.cdf(centre / jnp.sqrt(jnp.maximum(spread, 0) + TINY)))
        cut = (x - jax.nn.relu(z)) ** 2 - along_first_axis(share, z) * (x - z) ** 2
        split = task.importance * (share * linear + jnp.mean(cut, axis=-1))
        return nan_unless_finite(model, split)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of the constant answer 0."""
        return loss_of_zero(task)


def _moments(p: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return mean and variance of x that is uniform on [0, 1] with probability p, else 0."""
    return p / 2, p / 3 - (p / 2) ** 2
