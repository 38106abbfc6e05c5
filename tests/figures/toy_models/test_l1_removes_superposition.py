"""What the figure of a penalty on hidden activations says of models that are made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from figures.toy_models import l1_removes_superposition as figure
from toymodels.errors import InputError

pytestmark = pytest.mark.usefixtures("paper_style")

L1 = [0.0, 0.01, 0.1, 0.0, 0.0]
L2 = [0.0, 0.0, 0.0, 0.02, 0.2]
DIMS = ("world", "penalty", "seed")
P, M = 0.1, 1  # two features in one dimension
DROPPED = P / 3 - P**2 / 4


def swept(held=((2, 2, 1, 2, 2),), n_seeds=2, diverged=0):
    """Models of 2 → 1 of which so many features are represented, by penalty."""
    held = np.array(held)[..., None, None]
    lost = (np.arange(2) >= held).astype(float)  # [world, penalty, 1, feature]
    shape = (*held.shape[:2], n_seeds)
    per_feature = np.broadcast_to(0.1 * DROPPED + 0.9 * DROPPED * lost, (*shape, 2))
    arrays = {
        "loss_per_feature": per_feature,
        "loss": per_feature.sum(-1),
        "superposition": np.ones((*shape, 2)),
        "dimensions_per_feature": np.ones(shape),
        "importance_of_feature": np.ones((*shape, 2)),
        "diverged": np.full(shape, diverged),
    }
    found = {k: ((*DIMS, "feature")[: v.ndim], v) for k, v in arrays.items()}
    found["W"] = ((*DIMS, "hidden", "feature"), np.ones((*shape, M, 2)))
    coords = {"p_active": ("world", [P] * shape[0]), "model": ("world", ["relu"] * shape[0])}
    coords |= {"l1_hidden": ("penalty", L1), "l2_hidden": ("penalty", L2)}
    return xr.Dataset(found, coords | {"seed": range(n_seeds), "n_features": 2, "n_hidden": M})


def test_features_are_counted_by_their_own_loss_and_removal_is_found_on_the_way():
    result = figure.analyse(swept())
    assert result["n_represented"][0, :, 0].values.tolist() == [2, 2, 1, 2, 2]
    at = result["removed_at"].sel(way="l1").values
    np.testing.assert_allclose(at, np.sqrt(0.01 * 0.1))  # halfway on a logarithmic scale
    there = (0.2 + 1.1) / 2  # in units of one dropped feature
    np.testing.assert_allclose(result["loss_there"].sel(way="l1"), there)
    assert np.isnan(result["removed_at"].sel(way="l2")).all()
    np.testing.assert_allclose(result["neurons"], 1)  # there is one neuron alone


def test_random_directions_take_more_than_one_neuron():
    assert figure.neurons_of_random_directions(1) == pytest.approx(1)
    # Mean of 1 / (cos⁴ + sin⁴) = 4 / (3 + cos 4φ) over angles is √2.
    assert figure.neurons_of_random_directions(2) == pytest.approx(2**0.5, rel=0.01)


def test_the_claim_says_what_removes_superposition_and_what_does_not():
    said = figure.claim(figure.analyse(swept()))
    assert said.startswith("From λ = 0.032 on, λ‖h‖₁ leaves at most 1 of 2 features")
    assert "costs 3.2 times the loss, 0.65 times that of one dedicated feature; no λ‖h‖² tr" in said
    both = figure.claim(figure.analyse(swept([[2, 2, 1, 2, 1]])))
    assert "λ‖h‖² does too, at 0.65 times" in both
    never = figure.claim(figure.analyse(swept([[2] * 5])))
    assert never == "No λ‖h‖₁ that was tried brings 2 features down to 1"
    none = figure.claim(figure.analyse(swept([[1] * 5])))
    assert none == "Without a penalty at most 1 of 2 features are represented already"
    lost = figure.claim(figure.analyse(swept(diverged=1)))
    assert lost == "Every run without a penalty diverged"


def test_one_seed_other_worlds_and_runs_that_diverged_are_drawn():
    for dataset in (swept(n_seeds=1), swept([[2, 2, 1, 2, 2], [2] * 5]), swept(diverged=1)):
        result = figure.analyse(dataset)
        drawn = figure.draw(result)
        assert len(drawn.axes) == 6
    several = figure.caption(figure.analyse(swept([[2, 2, 1, 2, 2], [2] * 5])))
    assert "with no λ tried in every seed" in " ".join(several)
    assert figure.caption(figure.analyse(swept(n_seeds=1)))[-1] == "too few seeds for intervals"


@pytest.mark.parametrize(("l1", "l2"), [([0.1, 0.0], [0.0, 0.1]), ([0.0, 0.1], [0.0, 0.1])])
def test_a_sweep_without_its_start_or_with_both_penalties_at_once_is_refused(l1, l2):
    axes = zip(("penalties.l1_hidden", "penalties.l2_hidden"), (l1, l2), strict=True)
    axes = [SimpleNamespace(path=path, values=values) for path, values in axes]
    sizes = {"n_features": 2, "n_hidden": 1}
    grid = SimpleNamespace(dimensions=[SimpleNamespace(name="penalty", axes=axes, size=2)])
    with pytest.raises(InputError, match="give 0 for both penalties first"):
        figure.check(plan(grid, **sizes))
    with pytest.raises(InputError, match="n_hidden = 2: give fewer than n_features = 2"):
        figure.check(plan(grid, n_features=2, n_hidden=2))


def plan(grid, **sizes):
    return SimpleNamespace(config=SimpleNamespace(grid=grid, variants=[sizes]))
