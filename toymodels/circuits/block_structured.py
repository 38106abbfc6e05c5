"""Old name of `toymodels.circuits.constructions.block_structured`, kept for one version."""

from toymodels.circuits.constructions.block_structured import *  # noqa: F403
