"""What may be measured of a trained model, at the end of a run and at its snapshots."""

from typing import Any, Protocol

import jax

from toymodels.fields import Field


class Measure(Protocol):
    """A function, or a frozen record with settings; it runs under `jit` and `vmap`."""

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return named fields of one model, given the run that trained it.

        `key` is shared by all models, so that what is drawn is the same for all.
        """
        ...
