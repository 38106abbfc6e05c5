"""Numbers of compressed computation (Bhagat et al. 2026), trained anew.

Reference scores were measured with the authors' code (`data/compressed_computation.json`); each
draws its own mixing.
"""

import json
from functools import cache

import numpy as np
import pytest
from builders import DATA

from figures.circuits.compressed_scores import own_errors, scores
from figures.kit.compute import sweep_table
from figures.kit.entry import path_of
from sweeps import run_sweep
from toymodels.theory import power_loss, score_least, score_naive, score_of_network

pytestmark = pytest.mark.claims

REFERENCE = json.loads((DATA / "compressed_computation.json").read_text())["runs"]
ROWS = {"clean": "none", "asym_0.02": 0.02, "asym_0.05": 0.05, "embed_d1000": "embedding"}
P = 0.01


@cache
def trained():
    table = sweep_table(path_of("compressed-computation"))
    table["zip"] = {
        "solution": {
            "mixing": ["none", "gaussian", "gaussian", "embedding", "none"],
            "mixing_scale": [0.0, 0.02, 0.05, 0.0, 0.0],
            "exponent": [2.0, 2.0, 2.0, 2.0, 4.0],
        },
        "seed": {"seed": [0, 1], "mixing_seed": [0, 1]},
    }
    found = run_sweep(table).transpose("solution", "seed", ...)
    return tuple(found[name].values for name in ("W", "V", "M"))


@cache
def score_on(mixed):
    W, V, M = (leaf.reshape(-1, *leaf.shape[2:]) for leaf in trained())
    return scores(W, V, M * mixed, P).reshape(5, 2).mean(axis=1)


def own(solution, seed, noise):
    W, V, M = (leaf[solution, seed] for leaf in trained())
    return own_errors(W, V, M, np.array([0.0, noise]), 256)


@pytest.mark.parametrize("row", ROWS)
def test_scores_agree_with_the_authors_code(row):
    """Within 2 % of the mean of its seeds, each with a mixing of its own."""
    theirs = np.mean([run["L_over_p"] for run in REFERENCE if run["name"] == row])
    assert score_on(1)[list(ROWS).index(row)] == pytest.approx(theirs, rel=0.02)


def test_only_mixing_beats_one_neuron_each_and_without_it_the_gain_is_lost():
    naive = score_naive(np.zeros((100, 100)), 50)
    clean, some, much, embedding, _ = score_on(1)
    assert max(some, embedding) < 0.95 * naive
    assert clean == pytest.approx(naive, rel=0.015)
    assert much > 0.99 * naive
    assert min(score_on(0)[1:]) > 1.05 * naive


def test_no_network_is_below_the_exact_bound():
    for W, V, M in zip(*(leaf.reshape(-1, *leaf.shape[2:]) for leaf in trained()), strict=True):
        assert score_of_network(W, V, M) > score_least(M, 50)


def test_about_half_of_the_features_are_computed_without_mixing_and_noise_leaves_most():
    alone, noisy = own(0, 0, 0.3) < 0.25
    assert 45 <= alone.sum() <= 60
    assert noisy.sum() >= 0.6 * alone.sum()


def test_mixing_computes_more_features_alone_which_noise_takes_away():
    alone, noisy = own(3, 0, 0.3) < 0.25
    assert alone.sum() > 90
    assert noisy.sum() < 10


def test_the_fourth_power_computes_all_features_nearly_alike_and_as_the_closed_form_says():
    alone, noisy = own(4, 0, 0.2)
    exact = 3 * power_loss(100, 50, 4.0).active_error
    assert np.mean(alone) == pytest.approx(exact, rel=0.4)
    assert np.std(alone) < 0.3 * np.mean(alone)
    assert np.sum(noisy < 0.25) > 90
