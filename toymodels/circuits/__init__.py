"""Circuits in superposition: T small circuits in one large network, and how they disturb it.

    small_circuits, assumptions ──┐
    assignment ───────────────────┴► network ──► forward ──► measures ──► simulation

`base` holds the records that they share, `theory` says what to expect, `switching` which neurons
are on, `seizure` how that grows by layer; `gates` rule circuits out, `discrete` cleans values
between layers. `constructions` are other ways: one active circuit without error
(`block_structured`), all pairwise ANDs (`universal_and`), random directions, the first post's
read-in (`random_embedding`).

Axis letters used in every shape comment and docstring:

    T  small circuits            d  neurons of a small circuit      f  values it reads of itself
    N  copies of each, D = d N   S  copies that serve one circuit   L  large layers
    z  circuits active at once   B  examples of a block             D  large neurons

Source, unless a docstring names another: Linsefors & Bushnaq 2025, "Rotations in Superposition".
"""

from toymodels.circuits import (
    assignment,
    assumptions,
    constructions,
    network,
    seizure,
    simulation,
    small_circuits,
    switching,
    theory,
)
from toymodels.circuits.assignment import (
    RandomSubsets,
    capacity_of_prime_steps,
    capacity_of_transversal,
    prime_steps,
    random_subsets,
    transversal,
)
from toymodels.circuits.assumptions import custom_circuits
from toymodels.circuits.base import Circuit, Network
from toymodels.circuits.constructions import block_structured, random_embedding, universal_and
from toymodels.circuits.examples import draw_embedding
from toymodels.circuits.forward import ideal_gating, relu_gating
from toymodels.circuits.interference import measure_interference, scalar_circuits
from toymodels.circuits.measures import CircuitErrors, RotationErrors
from toymodels.circuits.network import (
    balanced_network,
    capped_network,
    dense_network,
    split_network,
)
from toymodels.circuits.simulation import (
    Trajectories,
    rotation_network,
    rotation_trajectories,
    simulate_circuits,
    simulate_network,
    simulate_rotations,
)
from toymodels.circuits.small_circuits import (
    active_rotations,
    rotation_circuit,
    rotation_circuit_one_indicator,
    rotation_states,
    run_circuit,
    step_circuits,
)

__all__ = [
    "Circuit",
    "CircuitErrors",
    "Network",
    "RandomSubsets",
    "RotationErrors",
    "Trajectories",
    "active_rotations",
    "assignment",
    "assumptions",
    "balanced_network",
    "block_structured",
    "capacity_of_prime_steps",
    "capacity_of_transversal",
    "capped_network",
    "constructions",
    "custom_circuits",
    "dense_network",
    "draw_embedding",
    "ideal_gating",
    "measure_interference",
    "network",
    "prime_steps",
    "random_embedding",
    "random_subsets",
    "relu_gating",
    "rotation_circuit",
    "rotation_circuit_one_indicator",
    "rotation_network",
    "rotation_states",
    "rotation_trajectories",
    "run_circuit",
    "scalar_circuits",
    "seizure",
    "simulate_circuits",
    "simulate_network",
    "simulate_rotations",
    "simulation",
    "small_circuits",
    "split_network",
    "step_circuits",
    "switching",
    "theory",
    "transversal",
    "universal_and",
]
