"""Stochastic Parameter Decomposition: a `TMSModel` of two `nn.Linear`.

`linear1.weight [hidden, feature]`, `linear2.weight [feature, hidden]`, `linear2.bias [feature]`;
`y = ReLU(V H … W x + b)`, with linear layers `hidden_layers.i.weight [hidden, hidden]` in between
where there are any: they are multiplied into W, which is the same function. Trained with V = Wᵀ as
a rule. Its loss is the mean over features, F times less than ours.

Source: goodfire-ai/spd, `spd/experiments/tms/models.py`.
"""

from toymodels.interop.base import Layout, Leaf, multiplied_in
from toymodels.models.autoencoders import UntiedAutoencoder

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
