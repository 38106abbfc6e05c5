"""A model that `toymodels inspect` looks at, and what is measured of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels import geometry
from toymodels.measures.columns import columns, measure_geometry
from toymodels.measures.wide import measure_wide

MANY = 2000  # features above which shapes are not looked for


@dataclass(frozen=True)
class Inspected:
    """A model, what it is called among others, and what its file says of it."""

    model: Any
    label: str
    about: Mapping[str, Any]

    @cached_property
    def W(self) -> NDArray[Any]:
        """The directions of features (or of latents), `[M, F]`; balanced of an untied model."""
        found = columns(self.model)
        return np.asarray(self.model.D if found is None else found)

    @property
    def has_directions(self) -> bool:
        """Whether the model has a matrix of directions."""
        weights = getattr(self.model, "W", getattr(self.model, "D", None))
        return getattr(weights, "ndim", 0) == 2

    @property
    def n_features(self) -> int:
        """F."""
        return self.W.shape[1]

    @cached_property
    def finite(self) -> bool:
        """Whether all weights are."""
        return all(np.all(np.isfinite(a)) for a in jax.tree.leaves(self.model))

    @cached_property
    def measured(self) -> dict[str, NDArray[Any]]:
        """Norm, superposition and dimensionality of each feature, `[F]`."""
        if self.n_features > MANY or not hasattr(self.model, "W"):
            found = measure_wide(self.W)
            return {
                "norm": found.norm,
                "superposition": found.superposition,
                "feature_dimensionality": found.dimensionality,
                "closest": found.closest,
            }
        fields = measure_geometry(None, self.model, None)  # pyright: ignore[reportArgumentType]
        return {name: np.asarray(field.values) for name, field in fields.items()}

    @cached_property
    def shapes(self) -> list[geometry.Component] | None:
        """The groups of features that interact; None where there are too many to look."""
        return None if self.n_features > MANY else geometry.components(self.W)

    @property
    def name(self) -> str:
        """The arrangement's name, in short."""
        if self.shapes is None:
            return f"shapes of more than {MANY:,} features are not looked for"
        whole = geometry.joined_name(self.shapes)
        return geometry.name_arrangement(self.W) + (f" (together: {whole})" if whole else "")


def described(models: Sequence[Inspected]) -> str:
    """Say how many models of which classes and sizes there are."""
    kinds = ", ".join(dict.fromkeys(type(m.model).__name__ for m in models))
    sizes = ", ".join(dict.fromkeys(str(list(m.W.shape)) for m in models))
    of = "[hidden, features]" if hasattr(models[0].model, "W") else "[hidden, latents]"
    several = f"{len(models)} models, " if len(models) > 1 else ""
    return f"{several}{kinds}, {of} = {sizes}"
