"""Hidden states of a model on examples of its world: what a dictionary is trained on."""

from collections.abc import Iterator
from typing import Any

import jax

from toymodels.errors import InputError, require_range
from toymodels.models.base import hidden
from toymodels.tasks.base import draw_batch


def activations(
    model: Any, key: jax.Array, n: int, *, features: Any = None, batch_size: int = 4096
) -> Iterator[tuple[jax.Array, jax.Array]]:
    """Yield examples `x [B, F]` and the hidden states `h [B, M]` they give, n in all.

    Examples stand on the first axis, as those who train dictionaries expect.

    Args:
        model: with `encode`; or what `sweeps.restore` returns, whose run says the features too.
        key: of the examples.
        n: how many.
        features: the world, a kind of `toymodels.features`; by default that of the run.
        batch_size: examples of one batch; the last one may be smaller.

    Raises:
        InputError: there is no world, the model has no hidden layer, or a number below 1.
    """
    require_range("n", n, 1)
    require_range("batch_size", batch_size, 1)
    run = getattr(model, "run", None)
    if features is None:
        features = getattr(getattr(run, "task", None), "features", None)
    if features is None:
        raise InputError(
            "features = None: say which world the model sees, for example "
            "features=Independent.create(0.1, n_features=5), or give what sweeps.restore returned."
        )
    inner = model.model if run is not None else model
    for i, first in enumerate(range(0, n, batch_size)):
        u = draw_batch(features, jax.random.fold_in(key, i), min(batch_size, n - first))
        x = features.from_uniforms(u)
        yield x.T, hidden(inner, x).T
