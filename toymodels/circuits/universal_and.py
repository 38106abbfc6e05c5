"""Old name of `toymodels.circuits.constructions.universal_and`, kept for one version."""

from toymodels.circuits.constructions.universal_and import *  # noqa: F403
