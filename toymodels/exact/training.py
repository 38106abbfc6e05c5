"""The task whose loss is the expected one: training and evaluation without samples.

It draws no noise, so a step is a step of plain descent on the loss itself. Everything else about
a run (start, optimiser, schedule) stays as it is.
"""

from functools import partial, singledispatch
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import InputError
from toymodels.exact.expected import (
    LARGEST_F,
    expected_loss_of_map,
    n_terms,
    outputs_together,
)
from toymodels.features import Features, Independent, Uniform
from toymodels.models import ReluAutoencoder, UntiedAutoencoder
from toymodels.tasks import Reconstruction

# Arrays of terms that count as one model's inputs and targets where the width of a block is chosen
# (measured: 50 models of F = 6 side by side, a few hundred of F = 4).
ARRAYS_OF_TERMS = 6


@struct.dataclass
class ExactReconstruction(Reconstruction):
    """`Reconstruction` with its expected loss, for the ReLU autoencoder, tied or not, F <= 6."""

    features: Any  # Independent

    @classmethod
    def create(cls, features: Features, importance: Any, n_features: int) -> Self:
        """Make the task from a scalar or `[F]` importance.

        Raises:
            InputError: features that are not independent and uniform on [0, 1], or more than 6 of
                them; importance as in `Reconstruction`.
        """
        if not isinstance(features, Independent) or features.law != Uniform():
            raise InputError(
                f'estimator = "exact" knows independent features, uniform on [0, 1], not '
                f'{_named(features)}: use features.kind = "independent" and features.values = '
                '"uniform", or estimator = "sampled".'
            )
        if n_features > LARGEST_F:
            raise InputError(
                f'estimator = "exact" goes up to n_features = {LARGEST_F}, got {n_features}: use '
                'estimator = "fourier" or "sampled".'
            )
        return super().create(features, importance, n_features)

    @property
    def n_uniforms(self) -> int:
        """U = 0: nothing is drawn."""
        return 0

    @property
    def work_bytes(self) -> int:
        """The bytes that one model's loss works on."""
        n_features = np.shape(self.importance)[-1]
        return 4 * ARRAYS_OF_TERMS * outputs_together(n_features) * n_terms(n_features)

    def sample(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw one example; its target is itself."""
        x = self.features.sample(key)
        return x, x

    def loss_per_output(self, model: Any, noise: jax.Array) -> jax.Array:
        """Return the expected loss of each output, `[F]`; the noise `[0, B]` is empty."""
        G, b = map_of(model)
        return expected_loss_of_map(G, b, self.features.p_active, self.importance)

    def loss_of_nothing(self, noise: jax.Array) -> jax.Array:
        """Return the expected loss of the constant output 0, Σ I_i p_i / 3."""
        return jnp.sum(self.importance * self.features.p_active) / 3

    def check_model(self, model: type) -> None:
        """Refuse a class of models of which no expected loss is known.

        Raises:
            InputError: a model other than the ReLU autoencoders.
        """
        if map_of.dispatch(model) is map_of.dispatch(object):
            _refuse(model)


@singledispatch
def map_of(model: Any) -> tuple[jax.Array, jax.Array]:
    """Return `G [F, F]` and `b [F]` of a model `y = ReLU(G x + b)`.

    Raises:
        InputError: a model of which it is not known that it has this form.
    """
    return _refuse(type(model))


@map_of.register
def _(model: ReluAutoencoder) -> tuple[jax.Array, jax.Array]:
    return _product(model.W.T, model.W), model.b


@map_of.register
def _(model: UntiedAutoencoder) -> tuple[jax.Array, jax.Array]:
    return _product(model.V, model.W), model.b


_product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def _refuse(model: type) -> Any:
    raise InputError(
        f'the exact loss is known of the models "relu" and "untied", not of {model.__name__}: use '
        'one of them or estimator = "sampled".'
    )


def _named(features: Features) -> str:
    law = getattr(features, "law", None)
    return type(features).__name__ + (f" with values {type(law).__name__}" if law else "")
