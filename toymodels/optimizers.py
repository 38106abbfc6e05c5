"""Optimisers and learning-rate schedules as frozen records, so that equal ones compile once.

An optimiser here is `direction()`, an optax transformation of the gradient, and where weight
decay enters: `Adam` and `SGD` add it to the gradient (as torch does), `AdamW` shrinks the weights
directly. Decay touches every weight, the bias included. Nothing decays unless it is asked for.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from toymodels.errors import InputError


def _add(tree: Any, other: Any, factor: Any) -> Any:
    return jax.tree.map(lambda a, b: a + factor * b, tree, other)


class Optimizer:
    """What every optimiser shares: one step down, weight decay being part of the gradient."""

    def direction(self) -> optax.GradientTransformation:
        """Return the transformation from gradient to direction of descent."""
        raise NotImplementedError

    def init(self, model: Any) -> Any:
        """Return the empty state, over the list of the model's leaves.

        Not over the model itself: to JAX 0.10 the structures of two record classes with equal
        fields are equal, and a function that optax compiles may return the class it saw first.
        """
        return self.direction().init(jax.tree.leaves(model))

    def descend(self, gradient: Any, model: Any, state: Any, rate: Any, decay: Any) -> tuple:
        """Return the model one step down, and the new optimiser state."""
        update, state = self._direct(_add(gradient, model, decay), state)
        return _add(model, update, -rate), state

    def _direct(self, gradient: Any, state: Any) -> tuple:
        leaves, structure = jax.tree.flatten(gradient)
        update, state = self.direction().update(leaves, state)
        return jax.tree.unflatten(structure, jax.tree.leaves(update)), state


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam; weight decay is an L2 term of the gradient.

    Attributes:
        b1: decay of the gradient's mean, per step.
        b2: decay of the gradient's mean square, per step.
    """

    b1: float = 0.9
    b2: float = 0.999

    def __post_init__(self) -> None:
        """Check the decay of both moments."""
        for name, value in (("b1", self.b1), ("b2", self.b2)):
            if not 0 <= value < 1:
                raise InputError(f"{name} = {value}: give a number from 0 to below 1.")

    def direction(self) -> optax.GradientTransformation:
        """Return Adam's scaling by running moments."""
        return optax.scale_by_adam(b1=self.b1, b2=self.b2)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: `w ← w - rate (direction + decay w)`."""

    def descend(self, gradient: Any, model: Any, state: Any, rate: Any, decay: Any) -> tuple:
        """Return the model one step down, and the new optimiser state."""
        update, state = self._direct(gradient, state)
        return _add(model, _add(update, model, decay), -rate), state


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum; weight decay is an L2 term of the gradient.

    Attributes:
        momentum: share of the last step that goes into the next.
    """

    momentum: float = 0.0

    def __post_init__(self) -> None:
        """Check the momentum."""
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum = {self.momentum}: give a number from 0 to below 1.")

    def direction(self) -> optax.GradientTransformation:
        """Return the accumulation of momentum."""
        return optax.trace(decay=self.momentum)


@dataclass(frozen=True)
class Constant:
    """The learning rate stays."""

    def __call__(self, progress: jax.Array) -> jax.Array:
        """Return 1 at every `progress = step / steps`."""
        return jnp.ones_like(progress)


@dataclass(frozen=True)
class Linear:
    """The learning rate falls to zero along a line."""

    def __call__(self, progress: jax.Array) -> jax.Array:
        """Return `1 - progress`."""
        return 1.0 - progress


@dataclass(frozen=True)
class Cosine:
    """The learning rate falls to zero along half a cosine."""

    def __call__(self, progress: jax.Array) -> jax.Array:
        """Return `(1 + cos(π progress)) / 2`."""
        return 0.5 * (1.0 + jnp.cos(jnp.pi * progress))


Schedule = Constant | Linear | Cosine
