"""What is measured of a model: each module takes weights, or a model, and returns numbers or names.

A measure that a config names takes `(run, model, key)` and returns fields: `columns`,
`adversarial`, `activity`, `linear_regime`, `privilege`. Others are functions of weights:

- `geometry`: norms, superposition, dimensionality of one W; under `jit`, `grad` and `vmap`.
- `balanced`: the encoder that stands for an untied model, for `geometry` and `polytopes`; neurons
  rescaled for pictures.
- `asymmetric`: two features in one neuron, told apart by how strongly it reads them.
- `polytopes`: the shapes that features form, and their names; numpy, one W at a time.
- `arrangement`: what an optimum is called, by those shapes and by what is dropped.
- `coding`: which neurons code one feature, which several, and with which signs.
- `dictionary`: how well found directions match the true ones.
- `gradient_noise`: the variance over batches of a loss and of its gradient.

`toymodels.geometry` exports the first three.
"""
