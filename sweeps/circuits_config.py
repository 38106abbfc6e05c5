"""One cell of a sweep over circuits in superposition: its keys and what they build.

    circuits = "rotations"
    width = 1000               # D, a multiple of 4
    n_circuits = 557           # T
    assignment = "prime_steps" # prime_steps | transversal | random_subsets

Nothing is trained: a cell draws a network and runs examples through it (`sweeps.simulating`).
Letters and bounds are those of `toymodels.circuits`.
"""

import dataclasses
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sweeps.fields import STRICT, Integer, NotNegative, Number, Positive, first_message
from sweeps.simulating import NEURONS, ActiveRotations, RotationInit, SimulationSpec
from toymodels.circuits.assignment import Assignment, prime_steps, random_subsets, transversal
from toymodels.circuits.examples import require_examples
from toymodels.circuits.forward import Gating, ideal_gating, relu_gating
from toymodels.circuits.simulation import copies_of
from toymodels.errors import InputError
from toymodels.training import Run

ASSIGNMENTS: dict[str, Assignment] = {
    "prime_steps": prime_steps,
    "transversal": transversal,
    "random_subsets": random_subsets,
}
GATINGS: dict[str, Gating] = {"relu": relu_gating, "ideal": ideal_gating}


@dataclass(frozen=True, config=STRICT)
class CircuitsConfig:
    """One simulation of rotation circuits, everything but its seed."""

    circuits: Literal["rotations"]
    n_circuits: Positive
    width: Annotated[Integer, Field(ge=1, le=100_000)]
    redundancy: Positive = 6
    n_active: Positive = 1
    n_layers: Annotated[Integer, Field(ge=1, le=10_000)] = 5
    n_samples: Annotated[Integer, Field(ge=1, le=100_000_000)] = 1000
    bias: NotNegative = 1.0
    inhibition: NotNegative = 1.0
    gain: Annotated[Number, Field(ge=1, le=1e30, allow_inf_nan=False)] = 2.0
    assignment: Literal["prime_steps", "transversal", "random_subsets"] = "prime_steps"
    gating: Literal["relu", "ideal"] = "relu"

    def build(self) -> Run:
        """Make what is drawn and simulated.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        _check_sizes(self.assignment, self.n_circuits, self.width, self.redundancy)
        require_examples(self.n_active, self.n_samples, self.n_circuits)
        init = RotationInit(
            bias=np.float64(self.bias),
            inhibition=np.float64(self.inhibition),
            gain=np.float64(self.gain),
            n_circuits=self.n_circuits,
            width=self.width,
            redundancy=self.redundancy,
            n_layers=self.n_layers,
            assignment=ASSIGNMENTS[self.assignment],
        )
        spec = SimulationSpec(n_samples=np.int64(self.n_samples), gating=GATINGS[self.gating])
        return Run(task=ActiveRotations(np.int64(self.n_active)), init=init, spec=spec)

    def describe(self) -> dict[str, Any]:
        """Return what names the cell."""
        return dataclasses.asdict(self)


@cache
def _check_sizes(assignment: str, n_circuits: int, width: int, redundancy: int) -> None:
    """Let the assignment itself refuse what it cannot hold, before anything runs."""
    ASSIGNMENTS[assignment](n_circuits, copies_of(width, NEURONS), redundancy)


_CIRCUITS = TypeAdapter(CircuitsConfig)


def circuits_config(table: dict[str, Any]) -> CircuitsConfig:
    """Validate the keys of one simulation of circuits.

    Raises:
        InputError: with the key, its value and what is allowed.
    """
    try:
        return _CIRCUITS.validate_python(table)
    except ValidationError as error:
        known = [f.name for f in dataclasses.fields(CircuitsConfig)]
        raise InputError(first_message(error, known)) from None
