"""What can be known without sampling: the expected loss, and what is built on it.

- `expected`: the expected loss as a function that JAX differentiates, in float32.
- `fourier`: the same for any number of features, by a series; `strata`: k <= 1 exactly, k >= 2
  sampled.
- `oracle`: the same number along another path, rounded once, for checks.
- `closed_forms`: losses that have a formula on paper.
- `solver`: the least expected loss, from many starts in many cells; `branches`: one minimum
  followed through parameter space.
"""

from toymodels.exact.branches import Branch, crossing, follow, slope
from toymodels.exact.closed_forms import loss_2_1_without_bias
from toymodels.exact.expected import (
    expected_loss,
    expected_loss_of_map,
    expected_loss_per_feature,
)
from toymodels.exact.fourier import expected_loss_fourier, expected_loss_of_map_fourier
from toymodels.exact.oracle import expected_loss_float64, expected_loss_of_map_float64
from toymodels.exact.solver import Solution, resolve_with_neighbours, solve

__all__ = [
    "Branch",
    "Solution",
    "crossing",
    "expected_loss",
    "expected_loss_float64",
    "expected_loss_fourier",
    "expected_loss_of_map",
    "expected_loss_of_map_float64",
    "expected_loss_of_map_fourier",
    "expected_loss_per_feature",
    "follow",
    "loss_2_1_without_bias",
    "resolve_with_neighbours",
    "slope",
    "solve",
]
