"""What the introduction's figure says of few seeds and of runs that diverged."""

import pytest
import xarray as xr

from figures.toy_models import intro, superposition


def models(best_seed=0, n_other=1, n_features=5):
    return xr.Dataset(
        {
            "n_represented": ("p_active", [2, n_features]),
            "best_seed": ("p_active", [0, best_seed]),
            "loss": ("p_active", [0.1, 0.2]),
            "n_of_seeds": ("p_active", [n_other, n_other]),
            "share_of_seeds": ("p_active", [1.0, 0.0]),
            "low_of_seeds": ("p_active", [0.2, 0.0]),
            "high_of_seeds": ("p_active", [1.0, 0.8]),
        },
        {"p_active": [1.0, 0.1], "n_features": n_features, "n_hidden": 2},
    )


def test_a_density_without_a_run_has_no_count():
    said = intro.claim(models(best_seed=-1))
    assert said == "Of 5 features, 2 dimensions represent 2 and – (diverged) at 0% and 90% sparsity"
    assert intro._counts(models(best_seed=-1).isel(p_active=1), 5) == "all runs diverged"
    assert intro.claim(models(n_features=1)).startswith("Of 1 feature, 2")


def test_one_other_seed_is_no_percentage():
    texts = [intro._counts(models().isel(p_active=i), 5).splitlines()[-1] for i in (0, 1)]
    assert texts == ["as many with the other seed", "not as many with the other seed"]
    several = intro._counts(models(n_other=4).isel(p_active=0), 5)
    assert "as many in 100% of 4 other seeds\n(20%–100%)" in several


@pytest.mark.parametrize(
    ("n", "last"), [(1, "3 dedicated"), (2, "mean of two seeds: 12.5"), (8, "mean 12.5 ± 0.5")]
)
def test_a_mean_has_an_interval_from_three_seeds_on(n, last):
    names = ("n_represented_mean", "n_represented_low", "n_represented_high")
    cell = xr.Dataset(dict(zip(names, (12.5, 12.0, 13.0), strict=True)))
    cell = cell.assign(n_represented=13, n_dedicated=3, n_seeds=n, best_seed=0)
    assert superposition._counts(cell).splitlines()[-1] == last
    assert bool(superposition.caption(cell)) == (n > 2)
