"""Better settings beside the published ones, by the numbers that are said and drawn."""

import numpy as np
import pytest
import xarray as xr

from figures.circuits import circuits_best
from figures.kit.entry import path_of
from sweeps.config.parse import read_toml
from toymodels.errors import InputError

pytestmark = pytest.mark.usefixtures("paper_style")

RATIOS = np.array([[[1.0, 4.0, 6.0], [2.0, 1.0, 5.0]]])  # n_circuits, n_active, layer


def sweep(errors, **keys):
    """A sweep of three networks with these errors, up to a few per cent each."""
    spread = np.exp([-0.05, 0, 0.05])
    values = np.concatenate([np.zeros((1, 2, 1)), errors], axis=-1)[..., None] * spread
    dims = ("n_circuits", "n_active", "layer", "seed")
    dataset = xr.Dataset(
        {"mse_x_active": (dims, values), "diverged": (dims[:2] + dims[3:], np.zeros((1, 2, 3)))},
        {"n_circuits": [400], "n_active": [1, 2], "layer": [0, 1, 2, 3], "seed": [0, 1, 2]},
    )
    return dataset.assign_coords(keys | {"width": 1000, "gain": 2.0, "gating": "relu"})


BEST = sweep(
    np.full((1, 2, 3), 0.1), redundancy=4, bias=0.25, inhibition=1.3, assignment="transversal"
)
POST = sweep(0.1 * RATIOS, redundancy=6, bias=1.0, inhibition=1.0, assignment="prime_steps")


def analysed(best=BEST, post=POST):
    return circuits_best.analyse(best, {"circuits-published": post})


def test_errors_are_compared_network_by_network():
    found = analysed()
    np.testing.assert_allclose(found["ratio"].squeeze(), RATIOS[0])
    np.testing.assert_allclose(found["ratio_low"], found["ratio"])  # all networks agree
    np.testing.assert_array_equal(found["redundancy"], [4, 6])
    assert circuits_best.claim(found) == (
        "From the published settings to the best the error of x in layer 3 goes, with 1 and 2 "
        "active at once, from 0.6 to 0.1 (ratio 6 [6, 6]) and from 0.5 to 0.1 (ratio 5 [5, 5]) "
        "for T = 400"
    )


def test_what_was_not_run_or_blew_up_is_not_compared():
    other = POST.assign_coords(n_circuits=[557])
    assert "(not compared)" in circuits_best.claim(analysed(post=other))
    lost = POST.copy(deep=True)
    lost["diverged"][{"n_active": 1}] = 1
    assert "from 0.6 to 0.1 (ratio 6 [6, 6]) and (not compared)" in circuits_best.claim(
        analysed(post=lost)
    )
    one = analysed(BEST.isel(seed=[0]), POST.isel(seed=[0]))
    assert "(ratio 6 [one network])" in circuits_best.claim(one)


def test_networks_of_another_width_are_refused():
    with pytest.raises(InputError, match="width = 1000, but circuits-published"):
        analysed(post=POST.assign_coords(width=2000))


def test_both_settings_are_drawn_in_every_panel():
    found = analysed()
    drawn = circuits_best.draw(found)
    assert [ax.get_title() for ax in drawn.axes] == ["T = 400, z = 1", "T = 400, z = 2"]
    heights = [li.get_ydata() for li in drawn.axes[0].lines if li.get_marker() in ("o", "P")]
    np.testing.assert_allclose(heights, [[0.1] * 3, [0.1, 0.4, 0.6]])


def test_the_presets_differ_in_their_settings_alone():
    best, post = (read_toml(path_of(name)) for name in ("circuits-best", "circuits-published"))
    assert {key for key in best if best[key] != post.get(key)} - {"figure"} == {
        *("redundancy", "bias", "inhibition", "assignment")
    }
    assert best["grid"] == post["grid"]
