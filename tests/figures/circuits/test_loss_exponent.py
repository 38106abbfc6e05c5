"""Where features come to share neurons: thresholds, both ways, and what is said of them."""

import numpy as np
import pytest
import xarray as xr

from figures.circuits import loss_exponent as figure
from figures.circuits.loss_exponent_full import PUBLISHED, full_size

pytestmark = pytest.mark.usefixtures("paper_style")

POWERS = np.append(np.linspace(1.9, 2.3, 41), 4.0)
STEPS = [10, 40]


def spread(middle, width=0.02):
    """Return spreads that fall from 1 to 0, through one half at `middle`."""
    return np.interp(POWERS, [middle - width, middle + width], [1.0, 0.0])


def analysed(gaps=(0.0, 0.0), middles=(2.02, 2.1), n_seeds=3, lost=False, stuck=()):
    """Return the analysis of two densities, whose ways pass half a gap to each side.

    Seeds that are `stuck` stay where they are while powers fall.
    """
    shift = np.linspace(-0.002, 0.002, n_seeds) if n_seeds > 1 else np.zeros(1)
    found = np.array([[spread(m + s) for s in shift] for m in middles]) * (np.nan if lost else 1)
    coords = {"exponent": POWERS, "seed": np.arange(n_seeds)}
    settings = {"level": 0.5, "path_steps": STEPS, "path_learning_rate": 1e-2}
    over = ("p_active", "seed", "exponent")
    dataset = xr.Dataset(
        {"error_spread": (over, found), "active_error_mean": (over, found / 6)},
        coords | settings | {"p_active": [0.02, 0.1], "n_features": 20, "n_hidden": 10},
    )
    paths = {}
    for name, (n, m) in zip(
        figure.parts(dataset), [(n, m) for m in middles for n in (0, 1)], strict=True
    ):
        noise = 0.001 * np.cos(np.pi * np.arange(n_seeds))
        ways = [[spread(m + side * (gaps[n] + e) / 2) for e in noise] for side in (1, -1)]
        for seed in stuck:
            ways[1][seed] = 0 * POWERS
        values = (("way", "seed", "exponent"), np.array(ways))
        coordinates = coords | {"way": ["up", "down"]}
        paths[name] = xr.Dataset({"path_spread": values, "path_mse": values}, coordinates)
    kept = {name: dataset[name] for name in ("n_features", "n_hidden")}
    return figure.analyse(dataset, paths).assign_coords(kept)


def test_thresholds_lie_where_the_spread_passes_the_level():
    found = analysed()
    np.testing.assert_allclose(found["threshold_mean"], [2.02, 2.1], atol=0.004)
    said = figure.claim(found)
    assert "with 20 features it is at q = 2 + 1 p at densities 0.02 to 0.1" in said
    assert "gradually at each, and the power of rising less that of falling is" in said
    assert "40 steps at each" in said


def test_ways_that_part_by_more_than_the_change_is_wide_are_a_jump():
    found = analysed(gaps=(0.0, 0.06))
    np.testing.assert_allclose(found["gap_mean"][:, 1], 0.06, atol=0.01)
    assert "at a jump at each" in figure.claim(found)


def test_one_seed_gives_no_interval_and_decides_nothing():
    assert "undecided whether at a jump at each" in figure.claim(analysed(n_seeds=1))


@pytest.mark.parametrize("stuck", [(1,), (0, 1, 2)])
def test_runs_that_never_come_back_leave_it_undecided(stuck):
    said = figure.claim(analysed(stuck=stuck))
    never = f"(some runs never came back: {len(stuck)} of 3)"
    assert f"undecided whether at a jump {never} at each" in said
    assert "gradually at each" not in said
    assert "nan" not in said


def test_what_does_not_fall_and_what_is_lost_is_said():
    said = figure.claim(analysed(middles=(9, 2.1)))
    assert "q = 2 + 1 p at density 0.1, gradually at each" in said
    found = analysed(lost=True)
    assert "not seen to fall below 0.5 between q = 1.9 and 4" in figure.claim(found)
    figure.draw(found)


def test_full_size_runs_are_kept_with_their_date_and_agree_with_what_is_published():
    found = full_size()
    assert len(found["full_date"].item()) == len("2026-01-01")
    scratch = found.sel(full_way="scratch", full_exponent=list(PUBLISHED["exponent"]))
    np.testing.assert_allclose(scratch["full_mse"].mean("full_seed"), PUBLISHED["mse"], rtol=0.01)
    apart = scratch["full_spread"].mean("full_seed") - list(PUBLISHED["spread"])
    assert np.all(abs(apart) < 0.003)


def test_every_model_and_the_published_ones_are_drawn():
    found = analysed()
    full, densities, mse, threshold = figure.draw(found).axes
    for ax, name in ((full, "spread"), (mse, "mse")):
        np.testing.assert_allclose(
            ax.lines[3].get_xydata(), np.transpose([PUBLISHED["exponent"], PUBLISHED[name]])
        )
    np.testing.assert_allclose(densities.lines[0].get_ydata(), found["spread"][0, :, 0])
    np.testing.assert_allclose(threshold.lines[0].get_ydata(), found["threshold_mean"] - 2)
