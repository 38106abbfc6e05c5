"""Old name of `toymodels.theory.surface_2_1`, kept for one version."""

from toymodels.theory.surface_2_1 import loss_2_1_without_bias

__all__ = ["loss_2_1_without_bias"]
