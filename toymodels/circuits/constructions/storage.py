"""Which share of a network's neurons holds the indicators: designs of equal width D.

`share_on` is f, the share of large neurons that belong to indicators; 1/2 is the post's. The
vector has (1-f) D / 2 copies of each of its two neurons in either design.

    Untied    the indicator has f D / 2 copies of its own, with an assignment of its own
    Private   the indicator shares the vector's copies, and a second one has what is left
"""

from typing import Any, Self

import numpy as np
from flax import struct

from toymodels.circuits.assignment import Assignment, transversal
from toymodels.circuits.constructions.indicators import ON, VECTOR, IndicatorDesign, Part
from toymodels.errors import InputError, require_range
from toymodels.fields import static


@struct.dataclass(kw_only=True)
class Untied(IndicatorDesign):
    """Indicator and vector on copies and assignments of their own."""

    share_on: Any  # []: f
    redundancy_on: int = static()  # S of the indicator

    def plan(self) -> list[Part]:
        """Return the vector's group and the indicator's."""
        n_vector = copies_of_vector(self.width, float(self.share_on))
        n_on = self.width // 2 - n_vector
        return [Part(VECTOR, n_vector, self.redundancy), Part(ON, n_on, self.redundancy_on)]

    @classmethod
    def create(
        cls,
        *,
        n_circuits: int,
        width: int,
        n_layers: int = 5,
        share_on: float = 0.5,
        redundancy: int = 4,
        redundancy_on: int = 4,
        bias: float = 1.0,
        inhibition: float = 1.0,
        gain: float = 2.0,
        dead_zone: float = 0.25,
        assignment: Assignment = transversal,
    ) -> Self:
        """Make the design.

        Args:
            n_circuits: T.
            width: D, even.
            n_layers: L.
            share_on: f, the share of large neurons that belong to indicators.
            redundancy: S, the copies that serve a circuit's vector.
            redundancy_on: the copies that serve its indicator or, in `Private`, its second one.
            bias: b, which silences inactive circuits.
            inhibition: multiplier of χ.
            gain: k, the slope of the indicator's step.
            dead_zone: δ, up to which the step is 0.
            assignment: which copies serve which circuit.

        Raises:
            InputError: sizes or floats that are not possible; says what would be.
        """
        return cls(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            gain=np.float64(gain),
            dead_zone=np.float64(dead_zone),
            share_on=np.float64(share_on),
            n_circuits=n_circuits,
            width=width,
            n_layers=n_layers,
            redundancy=redundancy,
            redundancy_on=redundancy_on,
            assignment=assignment,
        ).checked()


@struct.dataclass(kw_only=True)
class Private(Untied):
    """An indicator on the vector's copies, and a second one on copies of its own.

    With f = 1/2 there is no second one, and the network is that of the post.
    """

    def plan(self) -> list[Part]:
        """Return the shared group and, for f above 1/2, the private one."""
        n_vector = copies_of_vector(self.width, float(self.share_on))
        n_private = self.width // 2 - 2 * n_vector
        if n_private < 0:
            raise InputError(
                f"share_on = {float(self.share_on):g} is below 1/2: the indicator has all copies "
                "of the vector, and private ones beside; use 0.5 or more."
            )
        parts = [Part((*ON, *VECTOR), n_vector, self.redundancy)]
        return parts + ([Part((4, 5), n_private, self.redundancy_on)] if n_private else [])


def copies_of_vector(width: int, share_on: float) -> int:
    """Return the copies of each vector neuron, (1-f) D / 2 to the nearest whole number.

    Raises:
        InputError: an odd width, or a share that leaves nothing to the vector or the indicator.
    """
    require_range("width", width, 1, 100_000)
    require_range("share_on", share_on, 0, 1)
    n_copies = round((1 - share_on) * width / 2)
    if width % 2 or not 0 < n_copies < width // 2:
        raise InputError(
            f"width = {width} with share_on = {share_on:g} leaves the vector {n_copies} copies of "
            f"{width / 2:g} pairs of neurons: use an even width and a share between 0 and 1."
        )
    return n_copies
