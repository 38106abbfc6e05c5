"""Our own: the leaves of a model by their names, `W [hidden, feature]`, `b [feature]`, ….

What `sweeps.export_npz` writes, and any lone matrix. Several models stand on a first axis. A
sidecar, or the config inside an exported file, says which class of models it is.
"""

from collections.abc import Mapping
from typing import Any

from toymodels.interop.base import Layout, Leaf, own_axes
from toymodels.models.absolute_value import AbsoluteValueModel
from toymodels.models.autoencoders import (
    LinearAutoencoder,
    ReluAutoencoder,
    UntiedAutoencoder,
)
from toymodels.models.hidden_relu import HiddenReluAutoencoder
from toymodels.models.sparse_autoencoder import SparseAutoencoder


def _layout(model: type, *kinds: type, signature: tuple[str, ...], **more: Any) -> Layout:
    leaves = {name: Leaf(name, axes) for name, axes in own_axes(model).items()}
    return Layout("toymodels", model, leaves, kinds, signature, n_models="many", **more)


OWN = (
    _layout(UntiedAutoencoder, AbsoluteValueModel, signature=("W", "V")),
    _layout(
        ReluAutoencoder,
        LinearAutoencoder,
        HiddenReluAutoencoder,
        signature=("W",),
        may_be_linear=True,
    ),
    _layout(SparseAutoencoder, signature=("E", "D"), names_tell=True),
)

# Models whose neurons have biases, which no layout holds yet: they are refused, not read in part.
UNREAD = ("hidden_relu_biased", "absolute_value_biased")
UNREAD += ("BiasedHiddenReluAutoencoder", "BiasedAbsoluteValueModel")

# What a config calls each class.
NAMES: Mapping[str, type] = {
    "relu": ReluAutoencoder,
    "linear": LinearAutoencoder,
    "untied": UntiedAutoencoder,
    "hidden_relu": HiddenReluAutoencoder,
    "absolute_value": AbsoluteValueModel,
    "sparse_autoencoder": SparseAutoencoder,
}
