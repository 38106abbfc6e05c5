"""Fitting: scikit-learn's decompositions of what a task shows, such as a model's hidden states."""

import warnings
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr
from flax import struct

from sweeps.work.base import CellWork
from toymodels.errors import InputError, require_range
from toymodels.fields import Field, static
from toymodels.streams import Stream
from toymodels.tasks.base import Task, draw_batch, interpret


@struct.dataclass
class Study:
    """What is fitted in one cell: the inputs of a task."""

    task: Any
    decomposition: str = static()
    n_samples: int = static()


class Fit(CellWork):
    """Find as many directions as there are dimensions, by PCA or FastICA."""

    name, version = "fit", 1

    def cell(
        self, task: Task, decomposition: Literal["pca", "ica"], n_samples: int = 10_000
    ) -> Study:
        """Make the study of one cell.

        Args:
            task: whose inputs are decomposed, such as "hidden_of".
            decomposition: "pca" or "ica", of scikit-learn.
            n_samples: examples that a decomposition sees.
        """
        require_range("n_samples", n_samples, 10, 10_000_000)
        return Study(task, decomposition, n_samples)

    def compute(self, run: Study, key: jax.Array) -> dict[str, Field]:
        """Return the directions that one decomposition finds, `[M, K]`."""
        try:
            from sklearn.decomposition import PCA, FastICA
        except ImportError:
            raise InputError("work fit needs scikit-learn: install toymodels[analysis].") from None
        draw = jax.random.fold_in(key, Stream.EXAMPLES)
        h = np.asarray(interpret(run.task, draw_batch(run.task, draw, run.n_samples))[0]).T
        pca = run.decomposition == "pca"
        how: Any = {"whiten": "unit-variance", "random_state": 0, "max_iter": 1000, "tol": 1e-3}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged: what there is counts
            found: Any = (PCA() if pca else FastICA(**how)).fit(h)
        columns = np.asarray(found.components_.T if pca else found.mixing_)
        return {"directions": Field(columns, ("hidden", "latent"), "what was found")}

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how many examples each decomposition saw."""
        return [f"PCA and FastICA of {dataset['n_samples'].item():,} hidden states"]


FIT = Fit()
