"""How a run got where it is: jumps of feature dimensionality, drops and plateaus of its loss.

Elhage et al. 2022, "Learning dynamics": features change their dimensionality D_i at once, and the
loss falls with each such jump. Here both are found by rules, each from its own curve, and whether
they coincide is counted and compared with what random times would give.

Snapshots and the loss curve of a run are arrays over steps, as `sweeps` stores them; the steps need
not be the same or equally far apart. Lengths of time are shares of the run, from its first to its
last step. A run that has diverged has no dynamics: leave it out.
"""

from toymodels.dynamics.coincidences import (
    Coincidences,
    Comparison,
    compare_with_chance,
    find_coincidences,
)
from toymodels.dynamics.jumps import Jump, find_jumps
from toymodels.dynamics.loss import Plateau, find_drops, find_plateaus, log_loss_slope

__all__ = [
    "Coincidences",
    "Comparison",
    "Jump",
    "Plateau",
    "compare_with_chance",
    "find_coincidences",
    "find_drops",
    "find_jumps",
    "find_plateaus",
    "log_loss_slope",
]
