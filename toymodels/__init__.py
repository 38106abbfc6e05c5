"""Toy models of superposition: features, models, training, geometry and exact theory, in JAX.

Axis letters used in every shape comment and docstring:

    F  features          M  hidden dimensions       B  examples of a batch
    O  outputs           U  uniform numbers that one example consumes

`W` is `[M, F]` as in Elhage et al. 2022, "Toy Models of Superposition"; its column `W[:, i]` is
the direction of feature i. There is no axis for seeds or sweeps in this package: those come from
`jax.vmap`, in `sweeps`.
"""

from importlib.metadata import version

from toymodels import (
    circuits,
    errors,
    exact,
    features,
    geometry,
    laws,
    losses,
    models,
    optimizers,
    polytopes,
    tasks,
    theory,
    training,
)

__version__ = version("toymodels")
__all__ = [
    "__version__",
    "circuits",
    "errors",
    "exact",
    "features",
    "geometry",
    "laws",
    "losses",
    "models",
    "optimizers",
    "polytopes",
    "tasks",
    "theory",
    "training",
]
