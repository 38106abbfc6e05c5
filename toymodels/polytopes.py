"""The shapes that features form, and their names; defined in `toymodels.measures.polytopes`."""

from toymodels.measures.polytopes import (
    DEDICATED,
    TEGUM_PRODUCTS,
    UNNAMED,
    Component,
    components,
    ideals,
    joined_name,
    name_arrangement,
    name_components,
)

__all__ = [
    "DEDICATED",
    "TEGUM_PRODUCTS",
    "UNNAMED",
    "Component",
    "components",
    "ideals",
    "joined_name",
    "name_arrangement",
    "name_components",
]
