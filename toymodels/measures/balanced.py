"""What stands for the weights of an untied model: its encoder, as strong as its decoder.

Encoder and decoder of an untied model may trade scale, and where the hidden layer is linear also
directions, without changing what the model does. Norms, superposition and dimensionality are taken
of the one choice that shares the strength equally, so they are measures of the function; of a tied
model, whose decoder is the transpose of its encoder, that choice is W. Pictures of neurons take
another, in which each reads with a largest weight of 1.

Notation: W is the encoder [M hidden, F features], V the decoder [F, M]; f cuts the output.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from toymodels.checks import matrix
from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError
from toymodels.precision import norms_and_directions, product


def balanced_encoder(W: ArrayLike, V: ArrayLike) -> jax.Array:
    """Return the encoder that stands for an untied model `y = f(V W x + b)`, at equal strength.

    The hidden layer of V W x has no scale and no axes of its own: (A W, V A⁻¹) is the same function
    for any invertible A, with other lengths and angles of columns. What is left is the map
    G = V W, [F, F] and of rank <= M. Of all its factors those are taken that share its strength
    equally, W W.T = V.T V, which are unique up to a rotation of the hidden space: with the
    singular values G = U S R.T,

        W_balanced = S^(1/2) R.T,        W_balanced.T W_balanced = (G.T G)^(1/2).

    They have the least ||W||_F^2 + ||V||_F^2, so weight decay leads to them. Where V = W.T this is
    W itself, up to a rotation, which changes no norm, superposition or dimensionality.

    Args:
        W: encoder, [M, F].
        V: decoder, [F, M].

    Returns:
        [M, F]; NaN where a weight is not finite.

    Raises:
        InputError: W or V is not one matrix, or V is not of the shape of W.T.
    """
    W, V = matrix("W", W), matrix("V", V, "[features, hidden]")
    if V.shape != W.shape[::-1]:
        raise InputError(
            f"W has shape {W.shape} and V {V.shape}: give the encoder W as [hidden, features] and "
            "the decoder V as [features, hidden]."
        )
    _, V_small = jnp.linalg.qr(V)  # [K, M]: V but for a rotation of the outputs
    U, strength, _ = jnp.linalg.svd(product(V_small, W), full_matrices=False)  # [K, K], [K]
    noise = max(W.shape) * jnp.finfo(W.dtype).eps * jnp.max(strength, initial=0)
    per_root = jnp.where(strength > noise, strength, jnp.inf) ** -0.5
    # S^(-1/2) U.T V W, and not S^(1/2) R.T: so a column of zeros stays one.
    found = product(per_root[:, None] * product(U.T, V_small), W)
    padded = jnp.zeros_like(W).at[: found.shape[0]].set(found)
    return nan_unless_finite((W, V), padded)


def balanced_neurons(W: ArrayLike, V: ArrayLike) -> jax.Array:
    """Return the encoder of an untied model with a ReLU on its neurons, at equal strength.

    `y = f(V ReLU(W x) + b)` is the same function when a neuron m is rescaled, row W_m by any a > 0
    and column V_m by 1 / a; nothing else is free. Here each neuron reads as strongly as it writes:
    row m is sqrt(||V_m|| / ||W_m||) W_m. Where V = W.T this is W.

    Args:
        W: encoder, [M, F].
        V: decoder, [F, M].

    Returns:
        [M, F]; a row of zeros for a neuron that reads nothing or writes nothing.

    Raises:
        InputError: W or V is not one matrix, or they differ in their number of neurons.
    """
    W, V = _of_neurons(W, V)
    lengths, rows = norms_and_directions(W.T)
    written, _ = norms_and_directions(V)
    strength = jnp.sqrt(lengths) * jnp.sqrt(written)
    return strength[:, None] * rows.T


class RescaledNeurons(NamedTuple):
    """Neurons whose largest weight is 1 or -1, and the factors that made them so."""

    W: jax.Array  # [M, F]
    V: jax.Array  # [O, M]
    factor: jax.Array  # [M], of a neuron's row of W and of its bias, if it has one


def rescaled_neurons(W: ArrayLike, V: ArrayLike) -> RescaledNeurons:
    """Return the same model `y = f(V ReLU(W x) + b)` with each neuron's largest weight at 1 or -1.

    Row m of W is divided by the largest of its |W_mi|, column m of V multiplied by it (Elhage et
    al. 2022, footnote 15). A neuron that reads nothing is left as it is.

    Args:
        W: encoder, [M, F].
        V: decoder, [F, M].

    Raises:
        InputError: W or V is not one matrix, or they differ in their number of neurons.
    """
    W, V = _of_neurons(W, V)
    largest = jnp.max(jnp.abs(W), axis=1)
    largest = jnp.where(largest == 0, 1.0, largest)
    return RescaledNeurons(W / largest[:, None], V * largest[None, :], 1 / largest)


def _of_neurons(W: ArrayLike, V: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """Return the checked encoder and decoder of a layer of neurons."""
    W, V = matrix("W", W), matrix("V", V, "[features, hidden]")
    if V.shape[1] != W.shape[0]:
        raise InputError(
            f"W has shape {W.shape} and V {V.shape}: give the encoder W as [neurons, features] and "
            "the decoder V as [outputs, neurons]."
        )
    return W, V
