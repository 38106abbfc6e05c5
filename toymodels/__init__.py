"""Toy models of superposition: features, models, training, geometry and exact theory, in JAX.

Axis letters used in every shape comment and docstring:

    F  features          M  hidden dimensions       B  examples of a batch
    O  outputs           U  uniform numbers that one example consumes

`W` is `[M, F]` as in Elhage et al. 2022, "Toy Models of Superposition"; its column `W[:, i]` is
the direction of feature i. A model is one model: axes for seeds and sweeps come from `jax.vmap`,
in `sweeps`. Only `exact`, which solves many cells at once, has axes for cells and starts.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toymodels import (
        circuits,
        dynamics,
        errors,
        estimators,
        exact,
        features,
        fields,
        geometry,
        laws,
        losses,
        measures,
        models,
        optimizers,
        penalties,
        polytopes,
        precision,
        profiles,
        streams,
        tasks,
        theory,
        training,
    )

    __version__: str

__all__ = [
    "__version__",
    "circuits",
    "dynamics",
    "errors",
    "estimators",
    "exact",
    "features",
    "fields",
    "geometry",
    "laws",
    "losses",
    "measures",
    "models",
    "optimizers",
    "penalties",
    "polytopes",
    "precision",
    "profiles",
    "streams",
    "tasks",
    "theory",
    "training",
]


def __getattr__(name: str) -> Any:
    """Import a room when it is first asked for, so that a small one is quick."""
    if name == "__version__":
        return _version()
    if name in __all__:
        return importlib.import_module(f"toymodels.{name}")
    raise AttributeError(f"module 'toymodels' has no attribute {name!r}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("toymodels")
    except PackageNotFoundError:  # a clone that Python found by its path
        return "not installed"
