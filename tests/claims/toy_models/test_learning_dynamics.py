"""Numbers of Elhage et al. 2022, "Learning dynamics": F27 and F28, on trained models."""

import numpy as np
import pytest

import figures
from figures.toy_models import learning_dynamics
from figures.toy_models.learning_dynamics_octahedron import cosines
from toymodels.dynamics import Jump, find_coincidences

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def jumping():
    return figures.learning_dynamics.compute(**{"grid.seed.range": 16})


@pytest.fixture(scope="module")
def octahedron():
    return figures.learning_dynamics_octahedron.compute()


def test_where_digons_win_all_features_end_in_one_or_dropped(jumping):
    share = jumping["only_digons"].mean("seed").values
    assert share[-1] == 1
    assert np.all(np.diff(share) > 0)
    D = jumping["feature_dimensionality"].values[jumping["only_digons"].values == 1]
    np.testing.assert_allclose(np.minimum(D, np.abs(D - 0.5)), 0, atol=0.02)
    assert np.all((D > 0.25).sum(-1) == 2 * 5)


def test_jumps_coincide_with_drops_of_the_loss_far_more_often_than_random_times(jumping):
    """The paper says that each does: 84 % of 25 do at full settings, by our rule."""
    found = learning_dynamics.of_density(jumping)
    assert found.n >= 10
    assert found.happened >= 0.7 * found.n
    assert found.expected < 0.25 * found.n
    assert found.p_value < 1e-4


def test_jumps_of_one_run_and_the_loss_of_another_coincide_as_chance_says(jumping):
    happened, chance = [], []
    numbers = (jumping[f"jump_{k}"].values for k in ("at", "seed", "first", "last"))
    for at, seed, first, last in zip(*numbers, strict=True):
        jump = (Jump(first, last, np.zeros(0, int), np.zeros(0), np.zeros(0)),)
        for other in set(range(16)) - {int(seed)}:
            loss = jumping["loss_curve"].values[int(at), other]
            found = find_coincidences(jump, jumping["step"].values, loss)
            happened.append(found.happened[0])
            chance.append(found.chance[0])
    assert np.mean(happened) == pytest.approx(np.mean(chance), abs=0.06)
    assert np.mean(happened) < 0.3


def test_dimensionalities_sum_to_the_hidden_dimensions_after_the_start(jumping):
    assert float(jumping["sum_off"].max()) < 0.01


def test_two_correlated_sets_end_as_an_octahedron(octahedron):
    """One of several ends: the rarer at the density 0.15."""
    share = (octahedron["end"] == 0).mean("seed").values
    assert np.all(share[:2] > 0.9)
    assert share[2] > 0.3
    good = octahedron["end"].values == 0
    cos = cosines(octahedron["W"].values[good])
    across = cos[:, :3, 3:]
    np.testing.assert_allclose(np.sort(across, axis=2)[..., 0], -1, atol=0.05)
    np.testing.assert_allclose(np.sort(across, axis=1)[:, 0], -1, atol=0.05)
    within = np.stack([cos[:, :3, :3], cos[:, 3:, 3:]]) - np.eye(3)
    assert np.abs(within).max() < 0.05
    np.testing.assert_allclose(octahedron["feature_dimensionality"].values[good], 0.5, atol=0.02)


def test_the_way_to_it_has_three_plateaus_or_more(octahedron):
    assert octahedron["n_plateaus"].values[octahedron["end"].values == 0].min() >= 3
    assert octahedron.sizes["plateau"] >= 4
