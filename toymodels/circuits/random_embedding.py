"""Old name of `toymodels.circuits.constructions.random_embedding`, kept for one version."""

from toymodels.circuits.constructions.random_embedding import *  # noqa: F403
