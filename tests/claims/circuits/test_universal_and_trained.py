"""What training finds for all pairwise ANDs, on half the features of the figure.

Newgas 2025 (arXiv 2507.09816) reports a dense circuit that does better than the sparse
construction. So it is; but random neurons with a fitted read-out do nearly as well, and with two
inputs on neither can do better.
"""

import numpy as np
import pytest

import figures
from figures.circuits.universal_and_baselines import GAUSSIAN, OWN
from sweeps.store import open_dataset

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
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("universal-and")


@pytest.fixture(scope="module")
def trained(folder):
    return figures.universal_and_trained.compute(overrides=SMALL, out=folder)


def test_the_construction_errs_several_times_as_much_and_more_so_with_more_inputs_on(trained):
    ratio = trained["ratio_low"].sel(family=OWN).values
    assert np.all(ratio > 2)
    assert ratio[-1] > 1.5 * trained["ratio_high"].sel(family=OWN).values[0]


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


def test_the_sampled_loss_is_the_error_over_all_examples(trained, folder):
    """Of 12 features the examples are few: 66 with two active ones, 220 and 792 with more."""
    (stored,) = folder.glob("runs/*/result.nc")
    found = open_dataset(stored)["loss"].mean("seed") / 66
    np.testing.assert_allclose(found.values, trained["error"].values, rtol=0.02)
