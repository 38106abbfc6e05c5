"""F29–F31 and the text's claims of training that removes superposition, proven once each.

Smaller models than the figure's show the same. Where the paper states no number for what we find,
or none that we could meet, the measured truth stands here: vulnerability passes the paper's "> 3×"
by far, and what attacks it takes to remove superposition depends on the world.
"""

import numpy as np
import pytest

import figures
from figures.kit.compute import sweep_table
from figures.kit.entry import path_of
from figures.toy_models.adversarial_attacks import ATTACKS, attacks, correlations
from sweeps.config.parse import parse
from sweeps.run import run_sweep

pytestmark = pytest.mark.claims

SMALL = ("n_features=100", "n_hidden=10", "steps=800", "grid.seed.range=2")
DENSITIES = "grid.p_active=[1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01]"


def swept(name, *overrides):
    return run_sweep(parse(sweep_table(path_of(name)), overrides))


@pytest.fixture(scope="module")
def models():
    return swept("geometry", *SMALL, DENSITIES)


@pytest.fixture(scope="module")
def attacked(models):
    of = attacks(models)
    of["features_per_dimension"] = 1 / models["dimensions_per_feature"]
    return of


def test_vulnerability_rises_more_than_three_times(models):
    rise = models["vulnerability"].max("p_active") / models["vulnerability"].min("p_active")
    assert np.all(rise > 3)
    at = models["vulnerability"].mean("seed")
    assert float(at.sel(p_active=1.0)) == pytest.approx(1, abs=0.05)  # no superposition there
    # 400 → 30 gives 8.8 at density 0.1, measured independently of this project.
    assert float(at.sel(p_active=0.1)) == pytest.approx(8.8, rel=0.25)
    assert np.all(rise > 20)  # the paper's range is not known


@pytest.mark.parametrize("kind", ATTACKS[:3])
def test_it_goes_with_features_per_dimension_whatever_the_attack(attacked, kind):
    of = correlations(attacked).isel(attack_kind=ATTACKS.index(kind))
    assert float(of["spearman"]) > 0.95
    assert float(of["pearson"]) > 0.95


def test_the_analytic_attack_is_the_best_without_superposition_and_not_far_from_it_with(attacked):
    found = attacked["found"].mean("seed")
    assert float(found.sel(p_active=1.0)) > 0.95
    assert np.all(attacked["found"] > 0.55)
    assert np.all(attacked["found"] <= 1 + 1e-5)


def test_columns_of_the_same_lengths_in_random_directions_are_more_vulnerable(attacked):
    trained, null = (attacked["vulnerability"][i] for i in (0, len(ATTACKS) - 1))
    assert np.all(null > 1.5 * trained)


@pytest.fixture(scope="module")
def trained():
    given = ("steps=2000", "grid.attack=[0.0, 0.4, 0.8, 1.2]", "grid.seed.range=1")
    return swept("adversarial-training", *given).isel(seed=0)


def held(cell):
    return int((cell["norm"] > 0.5).sum())


def test_training_on_attacks_removes_superposition_at_four_fifths_of_an_input(trained):
    world = trained.isel(world=0)  # 100 → 10, density 0.05
    none, small, large = (world.sel(attack=length) for length in (0.0, 0.4, 0.8))
    assert held(none) > 50
    assert held(small) > 20
    assert float(small["dimensions_per_feature"]) < 0.5
    assert held(large) == 10
    assert float(large["dimensions_per_feature"]) > 0.9
    kept = large["norm"] > 0.5
    assert np.all(large["superposition"].values[kept] < 0.1)  # each has a direction of its own


@pytest.mark.parametrize("world", [1, 2])
def test_other_worlds_take_longer_attacks(trained, world):
    m = int(trained["n_hidden"][world])
    at = [held(trained.isel(world=world).sel(attack=length)) for length in (0.0, 0.8, 1.2)]
    assert at[0] > 4 * m
    assert at[1] > m
    assert at[2] <= 1.3 * m


def test_training_on_attacks_costs_loss_on_clean_inputs(trained):
    assert np.all(np.diff(trained["loss"].transpose("attack", "world").values, axis=0) > 0)


@pytest.mark.claims_full
def test_the_full_figure_meets_the_reference_run(tmp_path):
    full = figures.adversarial.compute(out=tmp_path)
    of = full["vulnerability"].isel(attack_kind=0).mean("seed")
    # Measured independently of this project, one seed: 8.83 and 33.4.
    assert float(of.sel(p_active=0.1)) == pytest.approx(8.83, rel=0.1)
    assert float(of.sel(p_active=0.01)) == pytest.approx(33.4, rel=0.15)
    assert float(full["pearson"][0]) > 0.95
    assert float(full["spearman"][0]) > 0.95
