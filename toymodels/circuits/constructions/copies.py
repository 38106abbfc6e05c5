"""Indicators that correct each other inside the small circuit: m of them, whose mean is stepped.

    Copies    each indicator has an assignment of its own; the first shares the vector's
    Merged    the same neurons as a larger share of the large network: the first indicator as
              there, and one other of (m-1) N copies, (m-1) S of them for a circuit
    Echoes    all indicators share the vector's assignment: they err together, which is the null

In all, the vector has N = D / (2 m + 2) copies and S of them for a circuit, and the indicators
have m times as many. With m = 2, `Merged` is `Copies`.
"""

from typing import Self

import numpy as np
from flax import struct

from toymodels.checks import count
from toymodels.circuits.assignment import Assignment, transversal
from toymodels.circuits.constructions.indicators import ON, VECTOR, IndicatorDesign, Part
from toymodels.circuits.simulation import copies_of
from toymodels.fields import static


@struct.dataclass(kw_only=True)
class Copies(IndicatorDesign):
    """Indicators with independent assignments."""

    n_indicators: int = static()  # m

    def plan(self) -> list[Part]:
        """Return the group of the vector and the first indicator, and one for each other."""
        n_copies = copies_of(self.width, 2 * self.n_indicators + 2)
        others = [(2 * j + 2, 2 * j + 3) for j in range(1, self.n_indicators)]
        return [Part(own, n_copies, self.redundancy) for own in ((*ON, *VECTOR), *others)]

    @classmethod
    def create(
        cls,
        *,
        n_circuits: int,
        width: int,
        n_layers: int = 5,
        n_indicators: int = 1,
        redundancy: int = 4,
        bias: float = 1.0,
        inhibition: float = 1.0,
        gain: float = 2.0,
        dead_zone: float = 0.25,
        assignment: Assignment = transversal,
    ) -> Self:
        """Make the design.

        Args:
            n_circuits: T.
            width: D, a multiple of 2 m + 2.
            n_layers: L.
            n_indicators: m.
            redundancy: S, the copies of each small neuron that serve a circuit.
            bias: b, which silences inactive circuits.
            inhibition: multiplier of χ.
            gain: k, the slope of the indicator's step.
            dead_zone: δ, up to which the step is 0.
            assignment: which copies serve which circuit.

        Raises:
            InputError: sizes or floats that are not possible; says what would be.
        """
        count("n_indicators", n_indicators)
        return cls(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            gain=np.float64(gain),
            dead_zone=np.float64(dead_zone),
            n_circuits=n_circuits,
            width=width,
            n_layers=n_layers,
            n_indicators=n_indicators,
            redundancy=redundancy,
            assignment=assignment,
        ).checked()


@struct.dataclass(kw_only=True)
class Merged(Copies):
    """One indicator that shares the vector's copies, and one with those of all others."""

    def plan(self) -> list[Part]:
        """Return the shared group, and the private one."""
        first, *others = Copies.plan(self)
        k = len(others)
        one = [Part((4, 5), k * first.n_copies, k * self.redundancy)] if others else []
        return [first, *one]


@struct.dataclass(kw_only=True)
class Echoes(Copies):
    """Indicators that share the vector's assignment."""

    def plan(self) -> list[Part]:
        """Return the one group of all neurons."""
        d = 2 * self.n_indicators + 2
        return [Part(tuple(range(d)), copies_of(self.width, d), self.redundancy)]
