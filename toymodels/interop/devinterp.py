"""Devinterp's (and TMS-zoo's) `ToyAutoencoder` of two `nn.Linear`.

`embedding.weight [hidden, feature]`, `unembedding.weight [feature, hidden]` and, where asked for,
`unembedding.bias [feature]` and `embedding.bias [hidden]`; `y = f(V (W x + c) + b)`, f = ReLU
unless the program was told another, which the file does not say. Tied by default: V = Wᵀ. The
hidden bias c goes into b, as V c + b: the same function.

Source: timaeus-research/devinterp, `examples/tms.ipynb` and `examples/zoo/tms/model.py`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from toymodels.interop.base import Arrays, Layout, Leaf
from toymodels.models.autoencoders import UntiedAutoencoder

EMBED, UNEMBED = "embedding.weight", "unembedding.weight"
HIDDEN_BIAS, BIAS = "embedding.bias", "unembedding.bias"


def fold_hidden_bias(arrays: Arrays, about: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
    """Put a bias of the hidden layer into that of the output."""
    if HIDDEN_BIAS not in arrays:
        return arrays, []
    c = np.matmul(arrays[UNEMBED], arrays[HIDDEN_BIAS][..., None])[..., 0]
    left = {name: a for name, a in arrays.items() if name != HIDDEN_BIAS}
    note = "the bias of the hidden layer goes into b, as V c + b: the same function"
    return left | {BIAS: left.get(BIAS, 0) + c}, [note]


DEVINTERP = Layout(
    name="devinterp",
    model=UntiedAutoencoder,
    leaves={
        "W": Leaf(EMBED, ("hidden", "feature")),
        "V": Leaf(UNEMBED, ("feature", "hidden")),
        "b": Leaf(BIAS, ("feature",)),
    },
    signature=(EMBED, UNEMBED),
    names_tell=True,
    may_be_linear=True,
    fold=fold_hidden_bias,
)
