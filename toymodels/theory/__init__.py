"""Closed forms: what is known on paper, as the oracles of the tests and the curves of figures.

- `phases`: losses, labels and boundaries of the phase diagrams; `problems`: the same as records.
- `linear`: the optimum of a linear model.
- `surface_2_1`: the loss of two features in one dimension without bias, and its minima.
- `one_active`: the loss when one feature is active at a time, and its k-gons.
- `absolute_value`: |x| by two neurons each.
- `compressed_computation`: more ReLUs than neurons, what any network can reach.
- `nonlinear_compression`: two numbers in one, by a staircase with ramps.
- `power_loss`: F ReLUs by fewer neurons and any power of the error, one feature at a time.
- `shapes`: the polytopes that features form, their names and corners.

`W` is [M hidden, F features]; losses are summed over features. Arrays are numpy's, in float64,
except for `one_active`, which JAX differentiates.
"""

from toymodels.theory.absolute_value import (
    AbsoluteValues,
    distance_to_exact,
    exact_absolute_value,
)
from toymodels.theory.compressed_computation import (
    score_least,
    score_linear,
    score_naive,
    score_of_network,
)
from toymodels.theory.linear import LinearLimit, linear_limit, linear_loss_in_sets
from toymodels.theory.nonlinear_compression import (
    break_even_ramp,
    error_best_decoder,
    error_linear_compression,
    error_natural_decoder,
)
from toymodels.theory.one_active import (
    KGon,
    k_gon,
    one_active_loss,
    one_active_loss_per_feature,
)
from toymodels.theory.phases import (
    PHASES_2_1,
    PHASES_3_2,
    TRIPLE_POINT,
    boundary_2_1,
    boundary_3_2,
    loss_drop_extra,
    loss_drop_other,
    loss_extra_antipodal,
    loss_others_antipodal,
    phase_label_2_1,
    phase_label_3_2,
    phase_losses_2_1,
    phase_losses_3_2,
)
from toymodels.theory.power_loss import PowerLoss, power_loss
from toymodels.theory.problems import PROBLEMS, Problem, problem_of
from toymodels.theory.shapes import POLYTOPE_DIMENSIONALITY, regular_polygon
from toymodels.theory.surface_2_1 import loss_2_1_without_bias

__all__ = [
    "PHASES_2_1",
    "PHASES_3_2",
    "POLYTOPE_DIMENSIONALITY",
    "PROBLEMS",
    "TRIPLE_POINT",
    "AbsoluteValues",
    "KGon",
    "LinearLimit",
    "PowerLoss",
    "Problem",
    "boundary_2_1",
    "boundary_3_2",
    "break_even_ramp",
    "distance_to_exact",
    "error_best_decoder",
    "error_linear_compression",
    "error_natural_decoder",
    "exact_absolute_value",
    "k_gon",
    "linear_limit",
    "linear_loss_in_sets",
    "loss_2_1_without_bias",
    "loss_drop_extra",
    "loss_drop_other",
    "loss_extra_antipodal",
    "loss_others_antipodal",
    "one_active_loss",
    "one_active_loss_per_feature",
    "phase_label_2_1",
    "phase_label_3_2",
    "phase_losses_2_1",
    "phase_losses_3_2",
    "power_loss",
    "problem_of",
    "regular_polygon",
    "score_least",
    "score_linear",
    "score_naive",
    "score_of_network",
]
