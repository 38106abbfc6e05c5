"""What every model shares: from input to hidden to output, and how a run's model starts.

A model is a pytree of its weights, `y = decode(encode(x))`. It acts on ONE example `x [F]` or, the
batch on the last axis, on `X [F, B]`; seeds and sweeps come from `jax.vmap`. A model of your own
may be any callable pytree on one example: batches are then mapped over.

A model that is `y = ReLU(G x + b)` in disguise says so with `relu_map() -> (G [F, F], b [F])`, and
one that is `y = G x + b` with `linear_map()`: the estimators that need no samples ask for these.
Where G is a product, `relu_factors() -> (V [F, M], W [M, F], b [F])` gives `y = ReLU(V W x + b)`.
One that is `y = ReLU(G x + b)` where a single feature is active, with one G for either sign of it,
says so with `maps_of_one() -> (G [2, F, F], b [F])`. One that is linear on every ray, y(v x) =
v y(x), says with `maps_of_rays() -> G [2, O, F]` what it makes of a single active feature.
A model whose matrix `W` means nothing by itself, as its decoder may take over any scale of it, says
by `columns() -> [M, F]` what its features are measured by.
"""

from collections.abc import Sequence
from typing import Any, Literal, Self

import jax
import numpy as np
from flax import struct

from toymodels.errors import InputError, require_range
from toymodels.fields import static


class Model:
    """A model that takes one example `[F]` or a batch `[F, B]`.

    A class of models that a config may name has a class method `start`, which says how a run
    starts; its parameters are the keys of the config.
    """

    def encode(self, x: jax.Array) -> jax.Array:
        """Return what the hidden layer holds, `[F] -> [M]`."""
        raise NotImplementedError

    def decode(self, h: jax.Array) -> jax.Array:
        """Return the output for a hidden state, `[M] -> [F]`."""
        raise NotImplementedError

    def __call__(self, x: jax.Array) -> jax.Array:
        """Answer one example, `[F] -> [F]`."""
        return self.decode(self.encode(x))


class SizedModel(Model):
    """A model with F inputs and M hidden dimensions, whose weights start at one scale."""

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: Any) -> Self:
        """Draw first weights with standard deviation `scale`."""
        raise NotImplementedError

    @classmethod
    def start(
        cls,
        n_features: int,
        n_hidden: int,
        init_scale: float | Literal["xavier"] = "xavier",
    ) -> "Init":
        """Say how a run's model starts.

        Args:
            n_features: F, features.
            n_hidden: M, hidden dimensions.
            init_scale: standard deviation of the first weights, or "xavier": √(2 / (F + M)).

        Raises:
            InputError: a size below 1 or a scale that is negative.
        """
        require_range("n_features", n_features, 1, 1_000_000)
        require_range("n_hidden", n_hidden, 1, 1_000_000)
        scale = xavier_scale(n_features, n_hidden) if init_scale == "xavier" else init_scale
        require_range("init_scale", scale, 0, 1e30)
        return Init(np.float32(scale), cls, n_features=n_features, n_hidden=n_hidden)


@struct.dataclass
class Init:
    """How a run's model starts: `Init(...)(key)` draws it.

    `scale` is the standard deviation of the weights itself, never a rule that depends on how many
    models are trained side by side.
    """

    scale: Any  # []
    model: type = static()
    n_features: int = static()
    n_hidden: int = static()

    def __call__(self, key: jax.Array) -> Any:
        """Draw a model."""
        return self.model.init(key, self.n_features, self.n_hidden, self.scale)


@struct.dataclass
class FromWeights:
    """A start from weights that are known: another run's, or a construction's."""

    model: Any  # any model

    def __call__(self, key: jax.Array) -> Any:
        """Return the model, whatever the key."""
        return self.model


class Continued:
    """The name by which a config starts from the models of another sweep."""

    @classmethod
    def start(cls, trained: Any) -> FromWeights:
        """Start from a trained model's weights."""
        return FromWeights(trained.model)


def xavier_scale(n_features: int, n_hidden: int) -> float:
    """Return the Xavier-normal standard deviation of ONE model, `√(2 / (F + M))`."""
    return (2.0 / (n_features + n_hidden)) ** 0.5


def normal(key: jax.Array, shape: Sequence[int], scale: Any) -> jax.Array:
    """Draw an array of normal numbers with standard deviation `scale`."""
    return scale * jax.random.normal(key, tuple(shape))


def apply_batch(model: Any, X: jax.Array) -> jax.Array:
    """Run any model on `X [F, B]`, the batch on the last axis."""
    return model(X) if isinstance(model, Model) else jax.vmap(model, in_axes=-1, out_axes=-1)(X)


def hidden(model: Any, X: jax.Array) -> jax.Array:
    """Return what a model's hidden layer holds on `X [F, B]`, `[M, B]`.

    Raises:
        InputError: the model has no `encode`.
    """
    if not has_hidden(model):
        raise InputError(
            f"{type(model).__name__} has no hidden layer to ask for: give it a method "
            "encode(x) -> h, and decode(h) -> y."
        )
    return model.encode(X) if isinstance(model, Model) else jax.vmap(model.encode, -1, -1)(X)


def has_hidden(model: Any) -> bool:
    """Tell whether a model says what its hidden layer holds."""
    return _owner(type(model), "encode") not in (None, Model)


def has_map(model: Any, name: str) -> bool:
    """Tell whether such a map, `relu_map` for one, is there and is of the model's own formula.

    A subclass that changes `encode` or `decode` inherits the map of another formula; it has none
    until it says so itself.
    """
    return _is_of_formula(model, name, ("encode", "decode", "__call__"))


def columns(model: Any) -> Any:
    """Return what features are measured by: a model's `columns()`, else `W`; None without one.

    A subclass that changes `encode` has another hidden layer: until it says so itself, its `W` is
    taken as it stands.
    """
    own = _is_of_formula(model, "columns", ("encode",))
    return model.columns() if own else getattr(model, "W", None)


def _is_of_formula(model: Any, name: str, methods: Sequence[str]) -> bool:
    """Tell whether a method is there, and no class below its own changes one of `methods`."""
    cls = model if isinstance(model, type) else type(model)
    owner = _owner(cls, name)
    formula = (_owner(cls, method) for method in methods)
    return owner is not None and all(part is None or issubclass(owner, part) for part in formula)


def _owner(cls: type, name: str) -> type | None:
    return next((base for base in cls.__mro__ if name in vars(base)), None)
