"""Stochastic Parameter Decomposition: a `TMSModel` of two `nn.Linear`.

`linear1.weight [hidden, feature]`, `linear2.weight [feature, hidden]`, `linear2.bias [feature]`;
`y = ReLU(V H … W x + b)`, with linear layers `hidden_layers.i.weight [hidden, hidden]` in between
where there are any: they are multiplied into W, which is the same function. Trained with V = Wᵀ as
a rule. Its loss is the mean over features, F times less than ours.

Source: goodfire-ai/spd, `spd/experiments/tms/models.py`.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from toymodels.interop.base import Arrays, Layout, Leaf
from toymodels.models import UntiedAutoencoder


def multiplied_in(first: str, between: str) -> Any:
    """Return a fold that multiplies the matrices of a pattern, by number, into the `first`."""

    def fold(arrays: Arrays, about: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
        layers = {int(m[1]): name for name in arrays if (m := re.fullmatch(between, name))}
        if not layers:
            return arrays, []
        W = arrays[first]
        for _, name in sorted(layers.items()):
            W = np.matmul(arrays[name], W)
        left = {n: a for n, a in arrays.items() if n not in layers.values()}
        note = f"{len(layers)} linear layers in between are multiplied into W: the same function"
        return left | {first: W}, [note]

    return fold


SPD = Layout(
    name="spd",
    model=UntiedAutoencoder,
    leaves={
        "W": Leaf("linear1.weight", ("hidden", "feature")),
        "V": Leaf("linear2.weight", ("feature", "hidden")),
        "b": Leaf("linear2.bias", ("feature",)),
    },
    names_tell=True,
    fold=multiplied_in("linear1.weight", r"hidden_layers\.(\d+)\.weight"),
)
