"""The authors' notebook: `W [instance, feature, hidden]`, `b_final [instance, feature]`.

`y = ReLU(W Wᵀ x + b_final)`, always with a ReLU. Its loss is the mean over features, F times less
than ours; its `feature_probability` is our `p_active`, and `importance` weighs squared errors as
ours does. The same in the code of *Attribution-based Parameter Decomposition* (Apollo Research).

Source: anthropics/toy-models-of-superposition, `toy_models.ipynb`, class `Model`.
"""

from toymodels.interop.base import Layout, Leaf
from toymodels.models.autoencoders import ReluAutoencoder

NOTEBOOK = Layout(
    name="notebook",
    model=ReluAutoencoder,
    leaves={"W": Leaf("W", ("feature", "hidden")), "b": Leaf("b_final", ("feature",))},
    n_models="many",
)
