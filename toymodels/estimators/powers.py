"""Split a power of the error by how many features are active: one in closed form, more sampled.

A model without biases, `y = V ReLU(W x)`, is positively homogeneous: of `x_j = ±v` alone it makes
v times what it makes of ±1, and so does the target `ReLU(x) + M x`. With v uniform on [0, 1],

    E |t_i - y_i|^q = |t_i - y_i|^q at v = 1, times 1 / (q + 1),

for either sign, and where nothing is active there is no error. What is left, two or more active
features, is drawn as in `toymodels.estimators.stratified`. In sparse worlds (F p < 1) nearly
all examples of a plain batch hold no feature or one, and the noise of those is gone.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.diverged import nan_unless_finite
from toymodels.estimators.base import refuse_features
from toymodels.estimators.stratified import AtLeastTwo
from toymodels.exact.strata import strata
from toymodels.features.base import SignedUniform
from toymodels.models.base import apply_batch, has_map
from toymodels.streams import draw_uniforms
from toymodels.tasks.base import errors, mean_error
from toymodels.tasks.compressed_computation import CompressedComputation


@struct.dataclass
class StratifiedPowers:
    """Batches hold examples with two or more active features; one alone is in closed form."""

    name = "stratified_powers"
    draws = True

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing: compressed computation of signed features, a model without bias."""
        if type(task) is not CompressedComputation:
            name = type(task).__name__
            return f'knows the task "compressed_computation", not {name}: use this one'
        why = refuse_features(task.features, SignedUniform())
        if why or has_map(model, "maps_of_rays"):
            return why
        name = (model if isinstance(model, type) else type(model)).__name__
        return (
            "knows models that are linear on every ray, y(v x) = v y(x), which have "
            f"`maps_of_rays`; {name} has none: use another"
        )

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw uniforms `[U, B]`."""
        return draw_uniforms(key, (task.n_uniforms, n_examples))

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the loss of each output, `[F]`: k <= 1 exactly, k >= 2 from `u [U, B]`."""
        x = AtLeastTwo(task.features).from_uniforms(u)
        split = _split(task, model.maps_of_rays(), x, apply_batch(model, x))
        return nan_unless_finite(model, split)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the loss of the constant answer 0 on this batch."""
        x = AtLeastTwo(task.features).from_uniforms(u)
        return jnp.sum(_split(task, jnp.zeros((2, 1, 1)), x, jnp.zeros_like(x)))


def error_of_one(task: Any, rays: jax.Array) -> jax.Array:
    """Return the mean error `[F, F]` of outputs i where feature j alone is active.

    Args:
        task: whose target is linear on every ray too.
        rays: what a model makes of ±1 in one feature, `maps_of_rays() [2, F, F]`.
    """
    basis = jnp.eye(task.features.n_features)
    both = [
        errors(task, jnp.broadcast_to(outputs, basis.shape), task.target(sign * basis))
        for outputs, sign in zip(rays, (1, -1), strict=True)  # either sign is as likely
    ]
    return (both[0] + both[1]) / (2 * (task.exponent + 1))


def _split(task: Any, rays: jax.Array, x: jax.Array, outputs: jax.Array) -> jax.Array:
    """Return the loss of each output from rays, and from a batch x of two active and more."""
    law = strata(task.features.p_active)
    sampled = mean_error(task, outputs, task.target(x))
    return error_of_one(task, rays) @ law.one + law.several * sampled
