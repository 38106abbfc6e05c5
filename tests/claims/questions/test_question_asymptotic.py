"""The largest loads fall with the width, also with the best S; a mean field says how far.

Measured here for the first time: there is no reference but the shares of `asymptotic` networks,
which `claims/circuits/test_more.py` compares.
"""

import numpy as np
import pytest

import figures

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def loads():
    texts = (
        "width=[1000, 2000, 4000, 8000]",
        "redundancy=[5, 6]",
        "n_active=1",
        'assignment=["prime_steps", "transversal", "transversal"]',
        "n_judging=3",
        "n_judging_widest=2",
        "n_reads=100_000",
    )
    return figures.question_asymptotic.compute(overrides=texts).isel(n_active=0)


def test_quiet_loads_fall_by_a_fifth_or_more_with_each_doubling(loads):
    tuned = loads.sel(choice="tuned", limit="quiet")
    transversal = tuned.isel(design=1)
    np.testing.assert_allclose(transversal["mean"], [0.0069, 0.0053, 0.0040, 0.0032], rtol=0.05)
    np.testing.assert_allclose(tuned["slope"][:2], -0.37, atol=0.06)
    assert (tuned["slope_high"][:2] < -0.2).all()


def test_fixed_redundancy_is_fine_at_a_thousand_neurons_and_not_at_eight_thousand(loads):
    fixed = loads.sel(choice="fixed", limit="quiet").isel(design=0)  # prime steps, the post's
    assert fixed["mean"][0] > 0.005
    assert fixed["mean"][-1] < 0.003


def test_a_power_of_the_width_fits_better_than_one_over_its_logarithm(loads):
    off = loads["off"].sel(choice="tuned", limit="quiet").isel(design=1)
    assert off.sel(form="power of N") < 0.04
    assert off.sel(form="1 / log N") > 0.1
    assert off.sel(form="a constant") > 0.2


def test_the_mean_field_is_right_where_networks_are_wide(loads):
    fixed = loads.sel(choice="fixed", limit="quiet").isel(design=1)
    ratio = loads["mean_field"].sel(choice="fixed") / fixed["mean"]
    np.testing.assert_allclose(ratio[2:], 1, atol=0.06)
    np.testing.assert_allclose(ratio, 1, atol=0.15)


def test_more_inhibition_keeps_indicators_quiet_but_vectors_fail_as_before(loads):
    strong = loads.sel(choice="tuned").isel(design=2)
    assert not strong["passed"].sel(limit="quiet").any()
    accurate = loads["mean"].sel(choice="tuned", limit="accurate").isel(width=-1)
    np.testing.assert_allclose(accurate[2] / accurate[1], 1, atol=0.12)
    assert (accurate < 0.0035).all()
    assert loads.attrs["verdict"] == "not supported"
