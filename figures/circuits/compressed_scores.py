"""What is measured of networks y = V ReLU(W x): their scores, and whether noise spoils a feature.

The score is L / p: the squared error, a mean over features, over their density. One neuron for each
of half of the features scores 1/12.

The noise test, our own: feature j is active with x_j uniform on [-1, 1] while each of the others
holds noise, uniform on [-ε, ε]. Its error is that of its own output, over that of the answer 0. A
neuron that serves j alone is not touched by noise; one that is shared hears the noise of all.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.compiled import jit
from toymodels.estimators.powers import StratifiedPowers
from toymodels.features import Independent, SignedUniform
from toymodels.models.mlp import OneHiddenLayer
from toymodels.tasks.compressed_computation import CompressedComputation

N_EXAMPLES = 16_384
ANSWER_ZERO = 1 / 6  # E ReLU(x)² of an active feature


def scores(W: np.ndarray, V: np.ndarray, M: np.ndarray, p_active: float) -> np.ndarray:
    """Return the scores of networks `W [S, M, F]`, `V [S, F, M]` with mixing `M [S, F, F]`, `[S]`.

    All are on the same examples; where one feature is active, or none, in closed form.
    """
    n = W.shape[-1]
    task = CompressedComputation.create(Independent.create(p_active, n, SignedUniform()))
    u = StratifiedPowers().draw(task, jax.random.key(0), N_EXAMPLES)
    W, V, M = (np.asarray(leaf, np.float32) for leaf in (W, V, M))
    losses = [
        float(_loss(replace(task, M=mixing), OneHiddenLayer(jnp.asarray(w), jnp.asarray(v)), u))
        for w, v, mixing in zip(W, V, M, strict=True)
    ]
    return np.array(losses) / (n * p_active)


@jit
def _loss(task: Any, model: Any, u: jax.Array) -> jax.Array:
    return jnp.sum(StratifiedPowers().loss_per_output(task, model, u))


def own_errors(
    W: np.ndarray, V: np.ndarray, M: np.ndarray, noise: np.ndarray, n_samples: int
) -> np.ndarray:
    """Return each feature's own error while the others hold noise, over that of 0: `[noise, F]`.

    Args:
        W: of one network, `[M, F]`.
        V: `[F, M]`.
        M: mixing, `[F, F]`.
        noise: sizes ε, `[noise]`.
        n_samples: examples of each feature, the same for all sizes of noise.
    """
    n = W.shape[1]
    rng = np.random.default_rng(0)
    others = rng.uniform(-1, 1, (n, n_samples)).astype(np.float32)
    own = (2 * (np.arange(n_samples, dtype=np.float32) + 0.5) / n_samples - 1).astype(np.float32)
    wanted = np.maximum(own, 0)
    from_others, mixed = W @ others, M @ others  # M has no diagonal
    found = np.empty((len(noise), n))
    for k, size in enumerate(np.asarray(noise, np.float32)):
        for j in range(n):
            h = size * from_others + np.outer(W[:, j], own - size * others[j])
            answer = V[j] @ np.maximum(h, 0)
            found[k, j] = np.mean((answer - wanted - size * mixed[j]) ** 2)
    return found / ANSWER_ZERO
