"""What is said of compressed computation, from numbers made by hand."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.circuits import compressed_computation as figure
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

KINDS = ["none", "gaussian", "symmetric", "embedding", "none"]


def hand_made(seeds=3, lost=()):
    """Five solutions of 8 features; numbers differ a little between seeds."""
    over, sizes = ("solution", "seed"), (5, seeds)
    little = 0.001 * np.arange(seeds)
    rising = np.linspace(0, 1, 8, dtype=np.float32)
    errors = np.stack([0 * rising + 0.1, rising, rising + 0.3, rising, rising])  # 8, 2, 0, 2, 2
    own = np.broadcast_to(errors[:, None, None], (*sizes, 3, 8))
    ds = xr.Dataset(
        {
            "score": (over, np.array([0.084, 0.076, 0.07, 0.064, 0.09])[:, None] + little),
            "score_clean": (over, np.array([0.084, 0.09, 0.1, 0.11, 0.09])[:, None] + little),
            "score_continued": (over, np.full((5, 1), 0.084) + little),
            "diverged": (over, np.zeros(sizes, np.int8)),
            "naive": 1 / 12,
            "own_error": ((*over, "noise", "feature"), own),
            "together": ("solution", [np.nan] * 4 + [0.03]),
            "computed": ((*over, "noise"), (own < 0.25).sum(-1).astype(np.float32)),
            "mixing_score": (("kind", "scale", "seed"), np.full((2, 2, seeds), 0.07) + little),
            "mixing_diverged": (("kind", "scale", "seed"), np.zeros((2, 2, seeds), np.int8)),
            "density_score": (("of", "density", "seed"), np.full((2, 2, seeds), 0.08) + little),
            "density_diverged": (("of", "density", "seed"), np.zeros((2, 2, seeds), np.int8)),
            "density_elsewhere": (
                ("trained_at", "density", "seed"),
                np.full((2, 2, seeds), 0.09) + little,
            ),
        },
        {
            "solution_mixing": ("solution", KINDS),
            "solution_exponent": ("solution", [2.0, 2, 2, 2, 4]),
            "noise": [0.0, 0.3, 1.0],
            "kind": ["gaussian", "symmetric"],
            "scale": [0.01, 0.02],
            "of": ["none", "embedding"],
            "density": [0.01, 1.0],
            "trained_at": [0.01, 1.0],
            "n_hidden": 4,
            "n_features": 8,
            "p_active": 0.01,
            "computed_below": 0.25,
        },
    )
    for name in ("least", "naive", "linear"):
        ds[f"mixing_{name}"] = (("kind", "scale"), np.full((2, 2), 0.06))
    for k in lost:
        ds["diverged"][k] = 1
    return ds


def test_the_claim_carries_scores_with_intervals_and_what_noise_leaves():
    said = figure.claim(hand_made())
    for part in (
        "8 ReLUs on 4 neurons at density 0.01: one neuron each scores L / p = 0.0833",
        "training 0.0850 [0.0825, 0.0875] where nothing is mixed",
        "0.0650 [0.0625, 0.0675] with mixing of an embedding, whose weights score 0.1110 [",
        "noise ε = 0.3 on all others leaves 8 of 8 (no mixing), 2 of 2 (mixing of an embedding)",
    ):
        assert part in said


def test_one_seed_has_no_interval_and_lost_runs_are_left_out():
    assert "training 0.0840 where nothing" in figure.claim(hand_made(seeds=1))
    assert "0.0710 [0.0685, 0.0735] with symmetric mixing" in figure.claim(hand_made(lost=(3,)))
    assert "where nothing is mixed" not in figure.claim(hand_made(lost=(0,)))
    assert figure.claim(hand_made(lost=range(5))).startswith("Every run diverged")
    assert "leaves 8 of 8" in figure.claim(hand_made(lost=(1, 2, 3, 4)))


@pytest.mark.parametrize("dataset", [hand_made(), hand_made(1), hand_made(lost=range(5))])
def test_it_draws_any_of_them(dataset):
    drawn = figures.compressed_computation.draw(dataset)
    assert len(drawn.axes) == 5


def test_what_the_sweeps_beside_it_would_not_follow_is_refused_and_a_root_seed_is_not():
    for override in ("steps=5", "p_active=0.02", "grid.learning_rate=[0.1]"):
        with pytest.raises(InputError, match=r"four sweeps side by side|the grid has"):
            planned(entry_of("compressed-computation"), "tiny", [override])
    assert planned(entry_of("compressed-computation"), "tiny", ["seed=3", "noise_samples=8"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("noise=[0.1,0.2]", "give growing sizes, the first 0"),
        ("computed_below=1.5", "give a share between 0 and 1"),
        ("noise_samples=1", "give 2 or more"),
    ],
)
def test_settings_that_say_nothing_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("compressed-computation"), "tiny", [override])
