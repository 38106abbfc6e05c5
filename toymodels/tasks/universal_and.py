"""All pairwise ANDs of Boolean features, for a network that is to learn them (universal AND).

Hänni, Mendel, Vaintrob & Chan 2024 (arXiv 2408.05451) construct a layer that computes all of them
with few neurons (`toymodels.circuits.constructions.universal_and`); Newgas 2025 (arXiv 2507.09816)
trains one. Outputs are pairs (α, β) with α < β, in the order of `pairs`.
"""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.checks import count
from toymodels.errors import InputError, require_range
from toymodels.features.base import Boolean, Features
from toymodels.fields import array
from toymodels.tasks.base import UniformTask


def pairs(n_features: int) -> NDArray[np.int64]:
    """Return all pairs α < β of m features, `[2, m (m - 1) / 2]`, in the order of outputs."""
    return np.array(np.triu_indices(count("n_features", n_features), 1))


@struct.dataclass
class UniversalAnd(UniformTask):
    """Answer `x_α x_β` for every pair; the error is `w |target - output|^q`.

    w is 1 for plain errors; for balanced ones, ANDs that are on weigh together as much as those
    that are off.
    """

    outputs = "output"

    features: Features
    exponent: Any = array(words="power q of the error")  # []
    weight_on: Any = array(words="weight w of the error of an AND that is on")  # []
    weight_off: Any = array(words="weight w of the error of an AND that is off")  # []

    @classmethod
    def create(
        cls,
        features: Features,
        n_features: int | None = None,
        *,
        class_balance: float = 0.0,
        exponent: float = 2.0,
    ) -> Self:
        """Make the task; its model needs `n_outputs = m (m - 1) / 2`.

        Args:
            features: the world, with values "boolean".
            n_features: m, features, if it is to be checked against the world's.
            class_balance: c, from 0, every error weighs 1, to 1, both classes weigh the same:
                `w = 1 - c + c / 2f`, f the share of ANDs of the class.
            exponent: q, at least 1.

        Raises:
            InputError: fewer than 2 features, values that are not Boolean, c outside [0, 1], q
                below 1; or c above 0 where ANDs are never on, always on, or it is not known how
                often.
        """
        n = count("n_features", features.n_features if n_features is None else n_features, 2)
        if features.n_features != n:
            raise InputError(
                f"n_features = {n}, but the world has {features.n_features} features: make them "
                "the same."
            )
        if not isinstance(features.distribution, Boolean):
            raise InputError(
                f"features.values is {type(features.distribution).__name__}, but ANDs are of "
                'Boolean features: give values = "boolean".'
            )
        require_range("class_balance", class_balance, 0, 1)
        require_range("exponent", exponent, 1, 100)
        on, off = _weights(features, class_balance)
        return cls(features, np.float32(exponent), np.float32(on), np.float32(off))

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        return self.features.n_uniforms

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into one example `(x [m], ANDs [O])`, or a batch."""
        x = self.features.from_uniforms(u)
        return x, self.target(x)

    def target(self, x: jax.Array) -> jax.Array:
        """Return all `x_α x_β`, `[O]`, of `x [m]` or of a batch."""
        first, second = pairs(self.features.n_features)
        both = np.zeros((first.size, self.features.n_features), np.float32)
        both[np.arange(first.size), first] = both[np.arange(first.size), second] = 1
        # Exact for Boolean x, and five times as fast as `x[first] * x[second]`.
        return jax.nn.relu(both @ x - 1)

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `w |target - output|^q`, `[O]`."""
        weight = jnp.where(target > 0, self.weight_on, self.weight_off)
        return weight * jnp.abs(target - output) ** self.exponent


def _weights(features: Features, class_balance: float) -> tuple[float, float]:
    """Return the weights of errors where an AND is on, and where it is off."""
    if class_balance == 0:
        return 1.0, 1.0
    share = features.both_active()
    if share is None or not 0 < share < 1:
        how = "how often is not known" if share is None else f"a share of {share:g} is"
        raise InputError(
            f"class_balance = {class_balance} needs ANDs that are on at times, but {how} in this "
            'world of features: use "several_active" with n_active from 2 to m - 1, '
            '"independent" with p_active between 0 and 1, or class_balance = 0.'
        )
    plain, half = 1 - class_balance, class_balance / 2
    return plain + half / share, plain + half / (1 - share)
