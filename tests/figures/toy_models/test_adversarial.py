"""What the figure of vulnerability says of models that are made by hand."""

import numpy as np
import pytest
import xarray as xr

from figures.toy_models import adversarial
from figures.toy_models.adversarial_attacks import ATTACKS
from figures.toy_models.adversarial_panels import LOOKS, NAMES

pytestmark = pytest.mark.usefixtures("paper_style")

DENSITIES, CELLS = [1.0, 0.5, 0.1], ("p_active", "seed")
LENGTHS = [0.0, 0.4, 0.8, 1.2]


def swept(n_seeds=2, vulnerability=(1.0, 2.0, 9.0), D=(1.0, 0.5, 0.1), diverged=0):
    """A sweep of 4 → 2 in which D* is known."""
    spread = np.linspace(1, 1.1, n_seeds)
    columns = np.ones((3, n_seeds, 4))
    return xr.Dataset(
        {
            "vulnerability": (CELLS, np.outer(vulnerability, spread)),
            "dimensions_per_feature": (CELLS, np.outer(D, np.ones(n_seeds))),
            "norm": ((*CELLS, "feature"), columns),
            "diverged": (CELLS, np.full((3, n_seeds), diverged)),
        },
        {"p_active": DENSITIES, "seed": range(n_seeds), "n_features": 4, "n_hidden": 2}
        | {"budget_adversarial": 0.1, "n_examples_adversarial": 64},
    )


def attacked(n_seeds=2, vulnerability=(1.0, 2.0, 9.0)):
    each = np.ones((len(ATTACKS), 3, n_seeds)) * np.array(vulnerability)[:, None]
    each[-1] *= 5
    arrays = {"vulnerability": (("attack_kind", *CELLS), each)}
    arrays["found"] = (CELLS, np.full((3, n_seeds), 0.8))
    coords = {"attack_kind": list(ATTACKS), "p_active": DENSITIES, "seed": range(n_seeds)}
    return xr.Dataset(arrays, coords)


def trained(n_seeds=2, held=(4, 3, 2, 2), D=(0.3, 0.6, 1.2, 1.3), diverged=0):
    """Two worlds, m = 2: of four features, as many are represented at each length."""
    norm = (np.arange(4) < np.array(held)[:, None]).astype(float)
    shape = (2, 4, n_seeds)
    arrays = {
        "norm": np.broadcast_to(norm[None, :, None], (*shape, 4)),
        "superposition": np.zeros((*shape, 4)),
        "dimensions_per_feature": np.broadcast_to(np.array(D)[None, :, None], shape),
        "diverged": np.full(shape, diverged),
    }
    dims = ("world", "attack", "seed", "feature")
    worlds = {"n_hidden": 2, "n_features": 4, "p_active": ("world", [0.05, 0.02])}
    return xr.Dataset(
        {k: (dims[: v.ndim], v) for k, v in arrays.items()},
        {"attack": LENGTHS, "seed": range(n_seeds)} | worlds,
    )


def made(of=None, by=None, after=None):
    parts = {"attacks": attacked() if by is None else by}
    parts["adversarial-training"] = trained() if after is None else after
    return adversarial.analyse(swept() if of is None else of, parts)


def test_the_sweeps_own_attack_is_the_first_and_d_star_is_inverted():
    result = made(by=attacked(vulnerability=(7.0, 7.0, 7.0)))
    np.testing.assert_allclose(result["vulnerability"][0, :, 0], [1, 2, 9])
    np.testing.assert_allclose(result["features_per_dimension"][:, 0], [1, 2, 10])
    assert float(result["spearman"][0]) == pytest.approx(1)
    assert np.isnan(result["spearman"][1])  # all alike


def test_the_claim_says_what_goes_with_what_and_where_training_removes_it():
    said = adversarial.claim(made())
    assert said.startswith("Attacks hurt 9.4 times as much as without superposition at density 0.1")
    assert "1.1 times at 1, in step with features per dimension (Pearson " in said
    # Three features become two halfway from 0.4 to 0.8.
    assert "at most m features in m dimensions at 60% of an input (the paper: 80%)" in said
    assert said.endswith("in other settings at 60% of an input")


def test_what_goes_the_other_way_or_never_gets_there_is_said():
    away = made(swept(vulnerability=(9.0, 2.0, 1.0)), after=trained(D=[0.3] * 4, held=[4] * 4))
    said = adversarial.claim(away)
    assert "not in step with features per dimension (Pearson -" in said
    assert said.endswith("training on attacks up to 120% removes none of it")
    once = made(after=trained(held=[4] * 4))
    assert "in m dimensions at no length tried" in adversarial.claim(once)


def test_one_seed_and_no_run_at_all_are_said():
    one = made(swept(1), attacked(1), trained(1))
    assert adversarial.caption(one)[-1] == "too few seeds for intervals"
    adversarial.draw(one)
    lost = made(swept(diverged=1), after=trained(diverged=1))
    assert adversarial.claim(lost).startswith("Every run diverged;")
    no_attack = made(swept(vulnerability=[np.nan] * 3))
    assert adversarial.claim(no_attack).startswith("No attack adds to the loss;")
    assert adversarial.claim(lost).endswith("every model trained on attacks diverged")
    adversarial.draw(lost.assign(vulnerability=lost["vulnerability"] * np.nan))


def test_it_draws_the_numbers():
    drawn = adversarial.draw(made())
    ax = drawn.axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines[NAMES["longer"]].get_ydata(), [9, 2, 1])  # sparse first
    assert set(LOOKS) == set(ATTACKS)
    star = drawn.axes[4].lines
    assert any(np.allclose(line.get_xydata(), [[60, 0.9]]) for line in star)
