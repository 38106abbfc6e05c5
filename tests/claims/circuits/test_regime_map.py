"""How many ReLUs eight neurons compute, trained anew by the second and the fourth power."""

import numpy as np
import pytest

from figures.circuits.compressed_scores import own_errors
from figures.kit.compute import sweep_table
from figures.kit.entry import path_of
from sweeps import run_sweep

pytestmark = pytest.mark.claims


def test_eight_neurons_compute_eight_by_the_second_power_and_sixteen_by_the_fourth():
    table = sweep_table(path_of("regime-map"))
    table["zip"] = {"size": {"n_hidden": [8], "n_features": [16]}}
    table["grid"] = {"exponent": [2.0, 4.0], "seed": [0, 1]}
    found = run_sweep(table).transpose("size", "exponent", "seed", ...)
    W, V = found["W"].values[0], found["V"].values[0]
    none, noise = np.zeros((16, 16)), np.array([0.0, 0.2])
    computed = [
        [np.sum(own_errors(W[q, s], V[q, s], none, noise, 256) < 0.25, axis=1) for s in (0, 1)]
        for q in (0, 1)
    ]
    second, fourth = np.array(computed)  # [seed, noise]
    assert np.all((second >= 7) & (second <= 9))
    assert np.all(fourth == 16)
