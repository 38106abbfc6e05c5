"""The models that compute absolute values in superposition, without and with biases of neurons."""

from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import InputError
from toymodels.fields import along_first_axis, array
from toymodels.measures.balanced import balanced_neurons
from toymodels.models.autoencoders import UntiedAutoencoder
from toymodels.models.base import Init
from toymodels.precision import product


@struct.dataclass
class PositiveDecoder(Init):
    """A start whose decoder is positive: the absolute values of what `Init` draws."""

    def __call__(self, key: jax.Array) -> Any:
        """Draw a model."""
        model = super().__call__(key)
        return model.replace(V=jnp.abs(model.V))


STARTS: dict[str, type[Init]] = {"normal": Init, "positive": PositiveDecoder}


@struct.dataclass
class AbsoluteValueModel(UntiedAutoencoder):
    """`y = ReLU(V h + b)` with neurons `h = ReLU(W x)` (Elhage et al. 2022, "Computation").

    `W` and `V` are the paper's W₁ and W₂. A neuron may be rescaled: row m of `W` by any a > 0 and
    column m of `V` by 1/a give the same function. What is measured has both at one length.
    """

    @classmethod
    def start(
        cls,
        n_features: int,
        n_hidden: int,
        init_scale: float | Literal["xavier"] = "xavier",
        init_decoder: Literal["normal", "positive"] = "normal",
    ) -> Init:
        """Say how a run's model starts.

        With "normal" weights of either sign an output that should answer a feature alone starts
        below zero as often as above. Where few features are active at a time it then gets no
        gradient, for that sign of the feature, and may never learn it.

        Args:
            n_features: F, features.
            n_hidden: M, hidden dimensions.
            init_scale: standard deviation of the first weights, or "xavier": √(2 / (F + M)).
            init_decoder: "normal", or "positive": the absolute values of normal numbers.

        Raises:
            InputError: a size below 1, a scale that is negative, or another decoder.
        """
        init = super().start(n_features, n_hidden, init_scale)
        if init_decoder not in STARTS:
            raise InputError(f'init_decoder = {init_decoder!r}: give "normal" or "positive".')
        return STARTS[init_decoder](init.scale, cls, n_features=n_features, n_hidden=n_hidden)

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(super().encode(x))

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_neurons(W, V)`."""
        return balanced_neurons(self.W, self.V)

    def maps_of_one(self) -> tuple[jax.Array, jax.Array]:
        """Return `G [2, F, F]` and `b [F]`: of `x_j = ±v` alone it makes `ReLU(v G_j + b)`.

        The first G is for +v, the second for -v. A neuron's ReLU has no kink but at 0, so on each
        ray the hidden layer is linear.
        """
        on = jax.nn.relu(jnp.stack([self.W, -self.W]))  # [2, M, F]
        return jax.vmap(product, in_axes=(None, 0))(self.V, on), self.b


@struct.dataclass
class BiasedAbsoluteValueModel(AbsoluteValueModel):
    """`y = ReLU(V h + b)` with neurons `h = ReLU(W x + c)`; the paper's have no `c`.

    A neuron may be rescaled as without `c`, row m of `W` and `c_m` together.
    """

    c: jax.Array = array("hidden", words="biases of the neurons")  # [M]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: jax.Array) -> Self:
        """Draw `W` and `V` with standard deviation `scale`; `b` and `c` start at zero."""
        plain = AbsoluteValueModel.init(key, n_features, n_hidden, scale)
        return cls(W=plain.W, V=plain.V, b=plain.b, c=jnp.zeros(n_hidden))

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x + c)`."""
        h = self.W @ x
        return jax.nn.relu(h + along_first_axis(self.c, h))

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_neurons(W, V)`."""
        return balanced_neurons(self.W, self.V)
