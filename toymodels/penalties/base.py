"""Terms that are added to the loss in training, never to the loss that is reported."""

from typing import Any, Protocol

import jax


class Penalty(Protocol):
    """A frozen pytree; its weight is a leaf, so that a sweep may vary it.

    A penalty on weights alone says `of_examples = False`: it is given no inputs, and goes with
    estimators that draw no examples.
    """

    def __call__(self, model: Any, inputs: Any) -> jax.Array:
        """Return the weighted penalty on a batch of `inputs [F, B]`, `[]`."""
        ...
