"""The toy models, one file for each family: encode, decode, and how they start."""

from toymodels.models.autoencoders import (
    LinearAutoencoder,
    ReluAutoencoder,
    UntiedAutoencoder,
)
from toymodels.models.base import (
    FromWeights,
    Init,
    Model,
    SizedModel,
    apply_batch,
    hidden,
    xavier_scale,
)

__all__ = [
    "FromWeights",
    "Init",
    "LinearAutoencoder",
    "Model",
    "ReluAutoencoder",
    "SizedModel",
    "UntiedAutoencoder",
    "apply_batch",
    "hidden",
    "xavier_scale",
]
