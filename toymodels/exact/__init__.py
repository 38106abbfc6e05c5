"""What can be known without sampling: the expected loss, and what is built on it.

"Exact" means: without sampling. The expected loss of a small ReLU autoencoder is exact, up to
rounding, for up to two active features; each further one is summed by Gauss–Legendre quadrature,
whose relative error is measured (below 1e-4 by `expected`, and returned with every solution as
`largest_difference`). An optimum is the best end point of n starts: nothing proves it global, and
`n_agree` says how many starts found it.

- `expected`: the expected loss as a function that JAX differentiates, in float32.
- `fourier`: the same for any number of features, by a series; `strata`: k <= 1 exactly, k >= 2
  sampled; `sets`: where sets of features are active together.
- `oracle`: the same number along another path, rounded once, for checks.
- `solver`: the least expected loss, from many starts in many cells; `neighbours` and `candidates`:
  a second look at the cells of a map.
- `branches`: one minimum followed through parameter space; `cuts`: along lines through the phase
  diagrams; `boundary`: where an optimum leaves its phase; `pentagon_digon`: two branches of five
  features; `packing`: which polytope takes away most loss for each dimension.

Here cells, starts and lanes are axes of the arrays: many small problems are solved side by side.
"""

from toymodels.exact.branches import Branch, crossing, follow, slope
from toymodels.exact.expected import (
    expected_loss,
    expected_loss_of_map,
    expected_loss_per_feature,
)
from toymodels.exact.fourier import expected_loss_fourier, expected_loss_of_map_fourier
from toymodels.exact.neighbours import resolve_with_neighbours
from toymodels.exact.oracle import expected_loss_float64, expected_loss_of_map_float64
from toymodels.exact.packing import Packing, packing
from toymodels.exact.sets import expected_loss_in_sets
from toymodels.exact.solver import Solution, solve
from toymodels.theory.surface_2_1 import loss_2_1_without_bias

__all__ = [
    "Branch",
    "Packing",
    "Solution",
    "crossing",
    "expected_loss",
    "expected_loss_float64",
    "expected_loss_fourier",
    "expected_loss_in_sets",
    "expected_loss_of_map",
    "expected_loss_of_map_float64",
    "expected_loss_of_map_fourier",
    "expected_loss_per_feature",
    "follow",
    "loss_2_1_without_bias",
    "packing",
    "resolve_with_neighbours",
    "slope",
    "solve",
]
