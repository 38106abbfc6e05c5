"""Every public function of the border with right inputs: module -> function -> inputs.

An input's kind, what may be wrong with it, goes by its name, or is given: `Of("cells", 0.3)`; see
`border`.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from toymodels.circuits import (
    capped_network,
    rotation_circuit,
    scalar_circuits,
    switching,
    transversal,
)
from toymodels.circuits import theory as circuit_theory
from toymodels.circuits.constructions import universal_and
from toymodels.dynamics import find_jumps
from toymodels.theory import problem_of

KEY = jax.random.key(0)
PAIR, ZERO = np.array([[1.0, -1.0]]), np.zeros(2)
P, R = np.array([0.2, 0.4]), np.array([1.0, 2.0])
LIST = transversal(4, 4, 2)
TURNING = rotation_circuit(np.arange(4.0))
NETWORK = capped_network(TURNING, np.stack([LIST, LIST]), 4)
NUMBERS = capped_network(scalar_circuits(np.array([1.0, -1, 1, -1]), 0.5), NETWORK.embedding, 4)
GATE = universal_and.universal_and(KEY, 8, 6, 2)
STRENGTH = circuit_theory.rotation_strength()
LINKS = switching.Links(n_copies=25, redundancy=4, density=0.2, inhibition=0.1)
JUMP = np.array([[[2.0, 1.0], [1.0, 2.0]]])


@dataclass(frozen=True)
class Of:
    """An input of another kind than its name says."""

    kind: str
    value: Any


def given(value):
    """An input that is a record, a key or a function of ours."""
    return Of("given", value)


AT = Of("line", np.array([0.0, 50.0, 100.0]))
DIMENSIONALITY = np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
CURVE = {"steps": AT, "loss": Of("line", np.array([3.0, 2.0, 1.0])), "span": Of("chance", 0.2)}
AROUND = CURVE | {"neighbourhood": Of("chance", 0.5), "multiple": Of("limit", 4.0)}
MODEL = {"W": PAIR, "b": ZERO, "p_active": P, "importance": R}
MAP = {"G": PAIR.T @ PAIR, "b": ZERO, "p_active": P, "importance": R}
CELLS = {"p_active": Of("cells", P), "relative_importance": R}
SIZES = {"n_circuits": 4, "n_copies": 4, "redundancy": 2}
WIDE = {k: Of("sizes", v) for k, v in SIZES.items()}
POINTS = {"p_active": Of("points", P[None, None]), "importance": Of("points", R[None, None])}
RUN = {"key": KEY, "n_active": 1, "n_layers": 2, "n_samples": 4}
OF_NETWORK = {"key": KEY, "network": given(NETWORK), "n_active": 1, "n_samples": 4}

RIGHT: dict[str, dict[str, dict[str, Any]]] = {
    "dynamics": {
        "find_jumps": {"steps": AT, "dimensionality": Of("table", DIMENSIONALITY)}
        | {"threshold": 0.2, "window": Of("chance", 0.01)},
        "log_loss_slope": CURVE,
        "find_drops": AROUND,
        "find_plateaus": CURVE
        | {"slower": Of("limit", 0.5), "shortest": Of("chance", 0.02)}
        | {"level": Of("chance", 0.03)},
        "find_coincidences": {"jumps": given(find_jumps(AT.value, DIMENSIONALITY))} | AROUND,
        "compare_with_chance": {"happened": Of("finite", np.ones(2)), "chance": Of("share", P)},
    },
    "exact.expected": {
        "expected_loss": MODEL,
        "expected_loss_per_feature": MODEL,
        "expected_loss_of_map": MAP,
    },
    "exact.fourier": {
        "expected_loss_fourier": MODEL | {"terms": 8},
        "expected_loss_of_map_fourier": MAP | {"terms": 8},
    },
    "exact.oracle": {"expected_loss_float64": MODEL, "expected_loss_of_map_float64": MAP},
    "exact.branches": {
        "follow": {"W": Of("start", PAIR), "b": Of("start", ZERO)} | POINTS,
        "crossing": {
            "difference": given(lambda t: t - 0.5),
            "low": Of("sizes", np.array([0.2])),
            "high": Of("sizes", np.array([0.9])),
            "n_halvings": 3,
        },
    },
    "exact.cuts": {
        "find_transitions": {
            "t": Of("line", np.array([0.5, 1.0])),
            "loss": Of("table", np.array([[1.0, 2.0], [2.0, 1.0]])),
            "slope": Of("table", np.array([[1.0, 1.0], [-1.0, -1.0]])),
        }
    },
    "exact.sets": {"expected_loss_in_sets": MODEL | {"n_sets": 2}},
    "exact.pentagon_digon": {"densities": {"p": Of("densities", P), "t": Of("numbers", 1.0)}},
    "measures.geometry": {
        name: {"W": PAIR}
        for name in (
            "feature_norms",
            "superposition",
            "feature_dimensionality",
            "dimensions_per_feature",
        )
    }
    | {
        "represented": {"W": PAIR, "threshold": 0.5},
        "n_represented": {"W": PAIR, "threshold": 0.5},
        "n_dedicated": {"W": PAIR, "threshold": 0.5, "tolerance": 0.1},
    },
    "measures.balanced": {
        "balanced_encoder": {"W": PAIR, "V": 4 * PAIR.T},
        "balanced_neurons": {"W": PAIR, "V": 4 * PAIR.T},
        "rescaled_neurons": {"W": PAIR, "V": 4 * PAIR.T},
    },
    "measures.asymmetric": {
        "asymmetric_motifs": {"W": Of("matrix", PAIR), "V": Of("matrix", 4 * PAIR.T)}
        | {"ratio": Of("number", 2.0), "tolerance": 0.25, "cancelled": Of("limit", 0.5)}
    },
    "measures.polytopes": {
        name: {"W": Of("matrix", PAIR), "threshold": 0.5, "tolerance": 0.1, "reach": 0.1}
        for name in ("components", "name_arrangement")
    },
    "measures.arrangement": {
        name: {"W": Of("matrix", PAIR)} for name in ("name_optimum", "kind_of", "irregularity")
    },
    "measures.privilege": {
        name: {"W": PAIR}
        for name in ("participation_ratio", "max_share", "haar_participation_ratio")
    },
    "measures.coding": {
        name: {"W": Of("matrix", PAIR), "threshold": 0.5} for name in ("coding", "stack_order")
    },
    "measures.dictionary": {
        "scores": {"found": Of("matrix", PAIR), "true": Of("matrix", PAIR), "matched": 0.9},
        "unit": {"columns": Of("matrix", PAIR)},
    },
    "theory.absolute_value": {
        "exact_absolute_value": {"n_features": 2},
        "distance_to_exact": {
            "W": Of("matrix", np.array([[1.0], [-1.0]])),
            "V": Of("matrix", np.array([[1.0, 1.0]])),
            "b": Of("finite", np.zeros(1)),
        },
    },
    "theory.linear": {
        "linear_limit": {"n_features": 2, "n_hidden": 1, "importance": R, "p_active": P},
        "linear_loss_in_sets": {"n_features": 2, "n_hidden": 1, "n_sets": 1}
        | {"p_active": Of("chance", 0.3)},
    },
    "theory.nonlinear_compression": {
        name: {"n_stairs": Of("sizes", 3), "ramp": Of("cells", P)}
        for name in ("error_natural_decoder", "error_best_decoder")
    }
    | {"error_linear_compression": {}, "break_even_ramp": {"n_stairs": Of("sizes", 3)}},
    "theory.one_active": {
        "one_active_loss": {"W": PAIR, "b": ZERO},
        "one_active_loss_per_feature": {"W": PAIR, "b": ZERO},
        "k_gon": {"n_corners": 0, "n_positive": Of("count0", 1), "n_features": 3},
    },
    "theory.phases": {
        "loss_drop_other": {"p_active": Of("cells", P)},
        "loss_others_antipodal": {"p_active": Of("cells", P)},
        "boundary_2_1": {"relative_importance": R},
        "boundary_3_2": {"relative_importance": R},
    }
    | dict.fromkeys(
        (
            "loss_drop_extra",
            "loss_extra_antipodal",
            "phase_losses_2_1",
            "phase_losses_3_2",
            "phase_label_2_1",
            "phase_label_3_2",
        ),
        CELLS,
    ),
    "theory.problems": {
        "problem_of": {"n_features": 2, "n_hidden": 1},
        "agreement": CELLS
        | {"problem": given(problem_of(2, 1)), "labels": given(np.zeros(2, np.int8))},
    }
    | {
        name: CELLS | {"problem": given(problem_of(2, 1))}
        for name in ("explicit_label", "explicit_loss", "outside_band")
    }
    | {
        name: {
            "problem": given(problem_of(2, 1)),
            "norm": Of("of_features", np.ones(2)),
            "superposition": Of("of_features", np.ones(2)),
        }
        for name in ("label_model", "label_optimum")
    },
    "theory.shapes": {"regular_polygon": {"n": 5}, "regular_simplex": {"n": 4}},
    "theory.surface_2_1": {
        "loss_2_1_without_bias": {"w1": Of("numbers", R), "w2": Of("numbers", R)} | CELLS,
        "find_minima": {"p_active": Of("cells", 0.3), "relative_importance": 1.0},
        "find_jumps": {
            "p_active": Of("line", np.array([0.3, 0.35])),
            "relative_importance": Of("line", np.ones(1)),
            "loss": Of("table", JUMP),
        },
    },
    "circuits.assignment": dict.fromkeys(
        ("prime_steps", "transversal", "random_subsets", "balanced_overlap"), SIZES
    )
    | {
        name: {k: SIZES[k] for k in ("n_copies", "redundancy")}
        for name in ("capacity_of_prime_steps", "capacity_of_transversal")
    }
    | {
        name: {"assignment": LIST, "n_copies": 4}
        for name in ("usage", "members", "overlap_probability", "largest_overlap")
    },
    "circuits.assumptions": {
        "custom_circuits": {
            "weights": Of("finite", np.eye(2)[None, None]),
            "biases": Of("finite", np.full((1, 2), -0.1)),
            "states": Of("finite", np.ones((1, 2))),
            "n_active": 1,
            "n_copies": 20,
        },
        "check_load": {"n_active": 1, "n_copies": 20},
    },
    "circuits.examples": {
        "draw_embedding": {"key": KEY, "assignment": given(transversal), "n_layers": 2} | SIZES
    },
    "circuits.interference": {
        "scalar_circuits": {"own": Of("line", R), "shared": 0.5},
        "measure_interference": {"network": given(NUMBERS)},
    },
    "circuits.network": {
        name: {"circuits": TURNING, "embedding": NETWORK.embedding, "n_copies": 4}
        for name in ("capped_network", "balanced_network", "split_network")
    }
    | {"dense_network": {"network": given(NETWORK)}},
    "circuits.simulation": {
        "simulate_rotations": RUN | {"n_circuits": 4, "width": 16, "redundancy": 2, "gain": 2.0},
        "rotation_network": {"key": KEY, "n_circuits": 4, "width": 16, "redundancy": 2}
        | {"n_layers": 2, "bias": 1.0, "inhibition": 1.0},
        "simulate_network": OF_NETWORK,
        "rotation_trajectories": OF_NETWORK,
        "simulate_circuits": OF_NETWORK
        | {"draw_states": given(lambda rng, shape: np.ones((*shape, 4), np.float32))},
    },
    "circuits.small_circuits": {
        "rotation_circuit": {"angle": Of("angle", R), "bias": 1.0, "gain": 2.0},
        "rotation_circuit_one_indicator": {"angle": Of("angle", R), "bias": 1.0},
        "step_circuits": {"n_circuits": 2, "gain": 2.0},
        "rotation_states": {"x": Of("vectors", PAIR), "gain": 2.0},
        "run_circuit": {
            "circuit": given(rotation_circuit(0.3)),
            "state": Of("state", np.ones(4)),
            "n_layers": Of("count0", 2),
        },
    },
    "circuits.switching": {
        "switching_points": {"gain": 2.0, "bias": 1.0},
        "share_on": {"links": given(LINKS), "n_active": 1, "gain": 2.0, "bias": 1.0},
    },
    "circuits.theory": dict.fromkeys(
        ("overlap_constant", "interference", "expected_link_density"), WIDE
    )
    | {
        "mse_inactive": {"overlap": Of("numbers", 0.1), "n_active": Of("sizes", 1)},
        "rotation_strength": {"bias": Of("bound", 1.0)},
        "mse_active": {"layer": Of("sizes", 1), "overlap": Of("numbers", 0.1)}
        | {"n_circuits": Of("sizes", 4), "n_active": Of("sizes", 1), "strength": given(STRENGTH)},
        "first_layer": {"assignment": LIST, "n_copies": 4, "n_active": 1, "bias": 1.0},
        "first_layer_worst": {"n_active": 1, "redundancy": 2, "bias": 1.0},
        "expected_inhibition": {"link_density": Of("share", 0.1), "redundancy": Of("sizes", 2)},
        "spurious_switching": {"n_copies": Of("sizes", 25), "redundancy": 2, "gain": 2.0}
        | {"link_density": Of("share", 0.1), "inhibition": Of("numbers", 0.1)},
    },
    "circuits.constructions.block_structured": {
        "block_structured": {"circuits": TURNING, "largest_activation": Of("above0", 3.0)}
    },
    "circuits.constructions.random_embedding": {
        "linear_rotations": {"angle": Of("angle", R)},
        "expected_errors": {"n_circuits": 4, "width": 8, "d": 2, "n_active": 1}
        | {"n_layers": Of("count0", 2)},
    },
    "circuits.constructions.universal_and": {
        "universal_and": {"key": KEY, "n_features": 8, "n_neurons": 6, "redundancy": 2},
        "measure_and": {"key": KEY, "gate": given(GATE), "n_active": 2, "n_samples": 4},
        "expected_and_bias": {"n_active": 2, "wired": Of("chance", 0.1)},
        "expected_noise": {"n_features": 8, "n_neurons": 6, "redundancy": 2}
        | {"n_dimensions": 4, "n_active": 2},
    },
}
"""Module -> function -> its inputs, all right."""
