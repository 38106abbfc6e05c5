"""Where features come to share neurons: thresholds, both ways, and what is said of them."""

import numpy as np
import pytest
import xarray as xr

from figures.circuits import loss_exponent as figure
from figures.circuits.loss_exponent_panels import seen

pytestmark = pytest.mark.usefixtures("paper_style")

POWERS = np.append(np.linspace(1.9, 2.3, 41), 4.0)
STEPS = [10, 40]


def spread(middle, width=0.02):
    """Return spreads that fall from 1 to 0, through one half at `middle`."""
    return np.interp(POWERS, [middle - width, middle + width], [1.0, 0.0])


def analysed(gaps=(0.0, 0.0), middles=(2.02, 2.1), n_seeds=3, lost=False):
    """Return the analysis of two worlds; the second goes on, half a gap to each side."""
    shift = np.linspace(-0.002, 0.002, n_seeds) if n_seeds > 1 else np.zeros(1)
    found = np.array([[spread(m + s) for s in shift] for m in middles]) * (np.nan if lost else 1)
    coords = {"exponent": POWERS, "seed": np.arange(n_seeds)}
    settings = {"level": 0.5, "path_steps": STEPS, "path_features": 50, "path_learning_rate": 1e-2}
    settings |= {"n_features": ("world", [100, 20]), "n_hidden": ("world", [50, 10])}
    over = ("world", "seed", "exponent")
    dataset = xr.Dataset(
        {"error_spread": (over, found), "active_error_mean": (over, found / 6)},
        coords | settings | {"p_active": ("world", [0.02, 0.1])},
    )
    assert list(figure.parts(dataset)) == ["world 1, 10 steps", "world 1, 40 steps"]
    paths = {}
    for n, gap in zip(STEPS, gaps, strict=True):
        noise = 0.001 * np.cos(np.pi * np.arange(n_seeds))
        ways = [[spread(middles[1] + side * (gap + e) / 2) for e in noise] for side in (1, -1)]
        values = (("way", "seed", "exponent"), np.array(ways))
        paths[f"world 1, {n} steps"] = xr.Dataset(
            {"path_spread": values, "path_mse": values}, coords | {"way": ["up", "down"]}
        )
    return figure.analyse(dataset, paths)


def test_thresholds_lie_where_the_spread_passes_the_level():
    found = analysed()
    np.testing.assert_allclose(found["threshold_mean"], [2.02, 2.1], atol=0.004)
    assert seen(found) == 1
    assert np.isnan(found["gap_mean"][0]).all()  # its models do not go on
    said = figure.claim(found)
    assert "100 features, 50 neurons and density 0.02 a neuron each gives way" in said
    assert "it does not jump" in said
    assert "with 40 steps at each" in said
    assert "q lies 1 to 1 times the density above 2" in said


@pytest.mark.parametrize(
    ("gap", "told"), [(0.05, "rising powers pass later"), (-0.05, "rising powers pass earlier")]
)
def test_ways_that_part_are_said_to(gap, told):
    found = analysed(gaps=(0.0, gap))
    assert found["gap_mean"][1, 1] == pytest.approx(gap, abs=0.01)
    assert told in figure.claim(found)


def test_one_seed_gives_no_interval_and_decides_nothing():
    said = figure.claim(analysed(n_seeds=1))
    assert "from one seed alone" in said
    assert "[" not in said


def test_what_does_not_fall_and_what_is_lost_is_said():
    for found in (analysed(middles=(9, 2.1)), analysed(lost=True)):
        assert "is not seen to fall below 0.5 between q = 1.9 and 4" in figure.claim(found)
        figure.draw(found)


def test_every_model_and_the_published_ones_are_drawn():
    found = analysed()
    axes = {ax.get_title().split(":")[0]: ax for ax in figure.draw(found).axes}
    drawn = [line.get_xydata() for line in axes["From scratch"].lines]
    np.testing.assert_allclose(drawn[0][:, 1], found["spread"][0, :, 0])
    np.testing.assert_allclose(drawn[-1], [(2, 1), (2.5, 0.027), (4, 0.031)])
    assert len(axes["Going on from the ends"].lines) == 5
