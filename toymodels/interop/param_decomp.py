"""Param-decomp's `TMSTarget`, in JAX: `W1 [hidden, feature]`, `W2 [feature, hidden]`, `b2`.

`y = ReLU(W2 … W1 x + b2)`, with matrices `hidden.i [hidden, hidden]` in between where there are
any. `W2 = W1ᵀ` as trained. The repository saves no such file itself; these are the names of the
record's leaves. Its torch predecessor is the layout "spd".

Source: goodfire-ai/param-decomp, `param_decomp/targets/tms.py`, class `TMSTarget`.
"""

from toymodels.interop.base import Layout, Leaf, multiplied_in
from toymodels.models.autoencoders import UntiedAutoencoder

PARAM_DECOMP = Layout(
    name="param-decomp",
    model=UntiedAutoencoder,
    leaves={
        "W": Leaf("W1", ("hidden", "feature")),
        "V": Leaf("W2", ("feature", "hidden")),
        "b": Leaf("b2", ("feature",)),
    },
    names_tell=True,
    fold=multiplied_in("W1", r"hidden[._](\d+)"),
)
