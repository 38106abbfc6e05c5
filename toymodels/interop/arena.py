"""ARENA's exercises: `W [instance, hidden, feature]`, `b_final [instance, feature]`.

`y = ReLU(Wᵀ W x + b_final)`. Its loss is the mean over features, F times less than ours; its
`feature_probability` is our `p_active`. The names are those of the authors' notebook, with the
other order of axes: only the bias tells them apart.

Source: callummcdougall/ARENA_3.0, "Superposition and SAEs", class `ToyModel` (before: `Model`).
"""

from toymodels.interop.base import Layout, Leaf
from toymodels.models.autoencoders import ReluAutoencoder

ARENA = Layout(
    name="arena",
    model=ReluAutoencoder,
    leaves={"W": Leaf("W", ("hidden", "feature")), "b": Leaf("b_final", ("feature",))},
    n_models="many",
)
