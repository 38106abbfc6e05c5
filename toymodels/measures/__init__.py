"""What is measured of a model: each module takes weights, or a model, and returns numbers or names.

- `geometry`: norms, superposition, dimensionality of one W; under `jit`, `grad` and `vmap`.
- `polytopes`: the shapes that features form, and their names; numpy, one W at a time.
- `arrangement`: what an optimum is called, by those shapes and by what is dropped.
- `gradient_noise`: the variance over batches of a loss and of its gradient.

`toymodels.geometry` exports the first two.
"""
