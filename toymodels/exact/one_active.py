"""Old name of `toymodels.theory.one_active`, kept for one version."""

from toymodels.theory.one_active import (
    START,
    KGon,
    k_gon,
    one_active_loss,
    one_active_loss_per_feature,
)

__all__ = ["START", "KGon", "k_gon", "one_active_loss", "one_active_loss_per_feature"]
