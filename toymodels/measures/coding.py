"""How neurons code features: which neurons serve one feature, which several, and with which signs.

A weight counts from a size on. Neurons and features that are linked by weights that count form
groups, the connected parts of their graph: "three features in two neurons" is one group.

Source: Elhage et al. 2022, "Privileged basis": monosemantic and polysemantic neurons.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from toymodels.checks import finite_matrix, number

THRESHOLD = 0.25
"""A weight counts above this size."""


@dataclass(frozen=True)
class Group:
    """Neurons and features that are linked, each in rising order."""

    neurons: tuple[int, ...]
    features: tuple[int, ...]


@dataclass(frozen=True)
class Coding:
    """How neurons code features."""

    code: npt.NDArray[np.int8]  # [M, F]: the sign of each weight that counts, else 0
    groups: tuple[Group, ...]  # with at least one neuron and one feature, by their first feature

    @property
    def monosemantic(self) -> npt.NDArray[np.bool_]:
        """Which neurons code one feature, [M]."""
        return np.count_nonzero(self.code, axis=1) == 1

    @property
    def polysemantic(self) -> npt.NDArray[np.bool_]:
        """Which neurons code several features, [M]; what is neither codes none."""
        return np.count_nonzero(self.code, axis=1) > 1

    @property
    def coded(self) -> npt.NDArray[np.bool_]:
        """Which features some neuron codes, [F]."""
        return np.any(self.code, axis=0)

    def signs(self, group: Group) -> tuple[tuple[int, ...], ...]:
        """Return the code of each feature of a group: its signs in the group's neurons."""
        part = self.code[np.ix_(group.neurons, group.features)]
        return tuple(tuple(column) for column in part.T.tolist())


def coding(W: ArrayLike, threshold: float = THRESHOLD) -> Coding:
    """Say how the neurons of `W [M, F]` code features.

    Args:
        W: weights, a row for each neuron.
        threshold: a weight counts above this size.

    Raises:
        InputError: W is not one finite matrix, or the threshold is no number from 0.
    """
    W, least = finite_matrix("W", W), number("threshold", threshold, 0)
    code = (np.sign(W) * (np.abs(W) > least)).astype(np.int8)
    n_neurons, n_features = code.shape
    ends = np.nonzero(code)
    edges = (np.ones(ends[0].size), (ends[0], n_neurons + ends[1]))
    size = n_neurons + n_features
    _, part = connected_components(csr_matrix(edges, shape=(size, size)), directed=False)
    groups = []
    for label in dict.fromkeys(part[n_neurons:].tolist()):
        neurons = tuple(np.flatnonzero(part[:n_neurons] == label).tolist())
        features = tuple(np.flatnonzero(part[n_neurons:] == label).tolist())
        if neurons:
            groups.append(Group(neurons, features))
    return Coding(code, tuple(groups))


def stack_order(W: ArrayLike, threshold: float = THRESHOLD) -> npt.NDArray[np.intp]:
    """Return the neurons of `W [M, F]` in the order of a stack plot.

    Those of one feature come first, then those of several, then those of none; inside each by the
    first feature that they code, then by its weight, the largest first.

    Raises:
        InputError: as `coding`.
    """
    found = coding(W, threshold)
    coded = np.count_nonzero(found.code, axis=1)
    kind = np.where(coded == 1, 0, np.where(coded > 1, 1, 2))
    first = np.argmax(found.code != 0, axis=1)
    weight = np.asarray(W)[np.arange(first.size), first]
    return np.lexsort((-weight, first, kind))
