"""Split the loss by how many features are active: none and one in closed form, the rest sampled.

See `toymodels.exact.strata` for the formulas. Absolute values of signed features split in the same
way: a feature alone is as likely of either sign, and its target is how large it is.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.diverged import nan_unless_finite
from toymodels.estimators.base import loss_of_zero, refuse_features, refuse_world
from toymodels.exact.strata import (
    clipped_at_most_one,
    closed_part,
    linear_at_most_one,
    strata,
)
from toymodels.features.base import Features, SignedUniform
from toymodels.features.independent import Independent
from toymodels.fields import along_first_axis
from toymodels.models.base import apply_batch, has_map
from toymodels.streams import draw_uniforms
from toymodels.tasks.absolute_value import AbsoluteValue
from toymodels.tasks.base import mean_error


@struct.dataclass
class AtLeastTwo(Features):
    """Independent features given that at least two are active.

    One uniform number per entry is mask and value at once, as in `Independent`: entry i is active
    where `u < h_i` and then holds the quantile `u / h_i`, where the threshold `h_i` is
    `Strata.first` until a feature is active, `Strata.second` until two are, and `p_active` from
    then on. Where two cannot be active the example is zero, and its stratum weighs nothing.
    """

    whole: Independent

    @property
    def n_features(self) -> int:
        """F."""
        return self.whole.n_features

    @property
    def n_uniforms(self) -> int:
        """U, as for all examples."""
        return self.whole.n_uniforms

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`."""
        n_features = self.n_features
        law = strata(self.whole.p_active)
        u_active, u_value = u[:n_features], u[-n_features:]
        h_first, h_second, p = (
            along_first_axis(h, u) for h in (law.first, law.second, self.whole.p_active)
        )
        i = along_first_axis(jnp.arange(n_features), u)
        first = jnp.min(jnp.where(u_active < h_first, i, n_features), axis=0, keepdims=True)
        next_one = (u_active < h_second) & (i > first)
        second = jnp.min(jnp.where(next_one, i, n_features), axis=0, keepdims=True)
        h = jnp.where(i == first, h_first, jnp.where(i == second, h_second, p))
        active = (i == first) | (i == second) | ((i > second) & (u_active < p))
        quantile = u_value if self.whole.draws == 2 else u_active / jnp.where(h > 0, h, 1.0)
        return jnp.where(active, self.whole.distribution(quantile), 0.0)


@struct.dataclass
class Stratified:
    """Batches hold examples with two or more active features; the rest is in closed form."""

    name = "stratified"
    draws = True

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing.

        It knows `y = ReLU(G x + b)` and linear models of independent uniform features; and for
        absolute values of signed ones models that have `maps_of_one`.
        """
        name = (model if isinstance(model, type) else type(model)).__name__
        if type(task) is AbsoluteValue:
            why = refuse_features(task.features, SignedUniform())
            if why or has_map(model, "maps_of_one"):
                return why
            return (
                "knows for absolute values models y = ReLU(V ReLU(W x) + b), which have "
                f"`maps_of_one`; {name} has none: use another"
            )
        why = refuse_world(task)
        if why or has_map(model, "relu_map") or has_map(model, "linear_map"):
            return why
        return (
            "knows models y = ReLU(G x + b) and y = G x + b, which have a `relu_map` or a "
            f"`linear_map`; {name} has none: use another"
        )

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw uniforms `[U, B]`."""
        return draw_uniforms(key, (task.n_uniforms, n_examples))

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the loss of each output, `[F]`: k <= 1 exactly, k >= 2 from `u [U, B]`."""
        law = strata(task.features.p_active)
        x = AtLeastTwo(task.features).from_uniforms(u)
        sampled = mean_error(task, apply_batch(model, x), task.target(x))
        none, one = _at_most_one(task, model)
        split = task.importance * closed_part(law, none, one) + law.several * sampled
        return nan_unless_finite(model, split)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of the constant answer 0."""
        return loss_of_zero(task)


def _at_most_one(task: Any, model: Any) -> tuple[jax.Array, jax.Array]:
    """Return the errors `[F]` where no feature is active, and `[F, F]` where only one is."""
    if type(task) is AbsoluteValue:  # either sign of the feature is as likely
        none, one = jax.vmap(clipped_at_most_one, in_axes=(0, None))(*model.maps_of_one())
        return none[0], jnp.mean(one, axis=0)
    if has_map(model, "relu_map"):
        return clipped_at_most_one(*model.relu_map())
    return linear_at_most_one(*model.linear_map())
