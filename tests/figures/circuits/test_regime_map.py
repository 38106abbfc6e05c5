"""What is said of functions and neurons, from numbers made by hand."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.circuits import regime_map
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


def hand_made(seeds=3, lost=()):
    """Two ways, two sizes, two numbers of functions each."""
    computed = np.array([[6, 2], [8, 1], [12, 4], [11, 5]] * 2, np.float32)
    ways = ["ReLUs, trained by L²"] * 4 + [regime_map.BUILT] * 4
    diverged = np.zeros((8, seeds), np.int8)
    diverged[list(lost)] = 1
    over = ("network", "seed", "noisy")
    return xr.Dataset(
        {
            "computed": (over, computed[:, None] + np.zeros((1, seeds, 1), np.float32)),
            "diverged": (over[:2], diverged),
            "n_functions": ("network", [8, 12, 16, 24] * 2),
            "copies": ("network", [4, 4, 8, 8] * 2),
        },
        {
            "way": ("network", ways),
            "noisy": [False, True],
            "noise": 0.2,
            "computed_below": 0.25,
        },
    )


def test_the_most_over_numbers_of_functions_counts_for_each_size():
    alone = regime_map.most(hand_made(), regime_map.BUILT, False)
    np.testing.assert_array_equal(alone["average"], [8, 12])
    noisy = regime_map.most(hand_made(), regime_map.BUILT, True)
    np.testing.assert_array_equal(noisy["n_functions"], [8, 24])
    kept = regime_map.most(hand_made(lost=(6,)), regime_map.BUILT, False)
    np.testing.assert_array_equal(kept["average"], [8, 11])
    assert any("chosen on the same seeds" in part for part in regime_map.caption(hand_made()))


def test_the_claim_says_how_many_with_and_without_noise():
    said = regime_map.claim(hand_made())
    assert "12 [12, 12] of 16 and 5 [5, 5] of 24 where 8 fit one by one (ReLUs, tr" in said
    assert "12 of 16 and 5 of 24 where 8 fit" in regime_map.claim(hand_made(seeds=1))
    assert "circuits, built by hand: all diverged" in regime_map.claim(hand_made(lost=(6, 7)))


@pytest.mark.parametrize("lost", [(), range(8)])
def test_it_draws_any_of_them(lost):
    drawn = figures.regime_map.draw(hand_made(lost=lost))
    assert len(drawn.axes) == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("noise=0", "give a size above 0"),
        ("computed_below=1.5", "give a share between 0 and 1"),
        ("noise_samples=1", "give 2 or more"),
    ],
)
def test_settings_that_say_nothing_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("regime-map"), "tiny", [override])
