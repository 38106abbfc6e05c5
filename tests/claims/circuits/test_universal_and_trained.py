"""What training finds for all pairwise ANDs, on half the features of the figure.

Newgas 2025 (arXiv 2507.09816) reports a dense circuit that does better than the sparse
construction. So it is; but random neurons with a fitted read-out do nearly as well, and with two
inputs on neither can do better.
"""

import numpy as np
import pytest

import figures
from figures.circuits.universal_and_baselines import GAUSSIAN, OWN
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from sweeps.run import run_sweep

pytestmark = pytest.mark.claims

SMALL = (
    "n_features=12",
    "n_outputs=66",
    "steps=1500",
    "evaluation_size=16384",
    "grid.seed.range=3",
    "zip.setting.n_hidden=[24, 24, 24]",
    "zip.setting.features.n_active=[2, 3, 5]",
    "zip.setting.class_balance=[1.0, 1.0, 1.0]",
    "zip.setting.exponent=[2.0, 2.0, 2.0]",
)


@pytest.fixture(scope="module")
def trained():
    return figures.universal_and_trained.compute(overrides=SMALL)


def test_the_construction_errs_several_times_as_much_and_more_so_with_more_inputs_on(trained):
    ratio = trained["ratio_low"].sel(family=OWN).values
    assert np.all(ratio > 2)
    assert ratio[-1] > 2 * trained["ratio_high"].sel(family=OWN).values[0]


def test_random_neurons_do_nearly_as_well(trained):
    ratio = trained["ratio"].sel(family=GAUSSIAN).values
    assert ratio[0] == pytest.approx(1, abs=0.15)
    assert np.all(ratio < 1.6)


def test_with_two_inputs_on_training_reaches_the_least_possible_error(trained):
    over = (trained["error"] / trained["least_error"]).values
    assert np.all(over > 1)
    assert over[0] < 1.05


def test_weights_are_dense_and_not_two_valued(trained):
    assert np.all(trained["features_heard"] > 0.25)
    assert np.all(trained["two_values"] < 0.9)


def test_the_sampled_loss_is_the_error_over_all_examples():
    """Of ANDs of 12 features the examples are few: 66 of two active ones, 220 of three."""
    config = planned(entry_of("universal-and-trained"), "", (*SMALL, "steps=100")).config
    sweep = run_sweep(config)
    exact = figures.universal_and_trained.compute(overrides=(*SMALL, "steps=100"))["error"]
    found = sweep["loss"].mean("seed") / 66
    np.testing.assert_allclose(found.values, exact.values, rtol=0.03)
