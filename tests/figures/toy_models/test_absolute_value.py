"""What the figure of the exact absolute values says, and what it draws."""

import numpy as np
import pytest
import xarray as xr

import figures
from figures.toy_models import absolute_value as module
from figures.toy_models import computation_panels as paint
from toymodels.errors import InputError
from toymodels.theory import exact_absolute_value

EXACT = exact_absolute_value(3)
LOSSES = np.array([[[1e-9, 0.02, 1e-8, 0.03], [1e-9, 1e-9, 1e-9, 1e-9]]])


def trained(losses=LOSSES, diverged=0, rescaled=4.0):
    """Runs over (p_active, init_decoder, seed), all with the exact weights, rescaled."""
    cells = ("p_active", "init_decoder", "seed")
    full = {
        "W": (("hidden", "feature"), EXACT.W * rescaled),
        "V": (("feature", "hidden"), EXACT.V / rescaled),
        "b": (("feature",), EXACT.b),
    }
    arrays = {
        k: ((*cells, *d), np.zeros((*losses.shape, *v.shape)) + v) for k, (d, v) in full.items()
    }
    arrays |= dict.fromkeys(("loss", "loss_ranking"), (cells, losses))
    arrays["diverged"] = (cells, np.full(losses.shape, diverged))
    starts = ["normal", "positive"][: losses.shape[1]]
    seeds = np.arange(losses.shape[2])
    return xr.Dataset(arrays, {"p_active": [0.1], "init_decoder": starts, "seed": seeds})


def test_the_claim_counts_the_seeds_of_each_start():
    found = module.analyse(trained())
    assert module.claim(found) == (
        "Six neurons compute three absolute values exactly, one for each sign of each: at density "
        "0.1 found by 50% from a normal start, 100% from a positive start (four seeds each)"
    )
    np.testing.assert_allclose(found["distance"], 0, atol=1e-6)
    assert any("100% of the seeds" in part for part in module.caption(found))


def test_it_says_so_where_none_is_found_or_all_diverged():
    none = module.analyse(trained(np.full((1, 1, 1), 0.02)))
    assert module.claim(none) == "In no seed six neurons compute three absolute values exactly"
    lost = module.analyse(trained(np.full((1, 1, 2), np.nan), diverged=1))
    assert module.claim(lost) == "Every run diverged"
    other = trained()
    other["V"] = 1.1 * other["V"]
    assert "one for each sign" not in module.claim(module.analyse(other))


def test_neurons_are_drawn_rescaled_and_sorted(monkeypatch):
    seen = {}
    monkeypatch.setattr(paint, "draw_stacks", lambda ax, W, colors: seen.update(W=W))
    module.draw(module.analyse(trained()))
    np.testing.assert_allclose(seen["W"], EXACT.W[[0, 3, 1, 4, 2, 5]], atol=1e-6)


def test_other_sizes_are_refused():
    with pytest.raises(InputError, match="give n_hidden=6"):
        figures.absolute_value.compute(n_hidden=5)
