"""The largest loads by width: how they are found, what is said of them, and the three answers."""

import numpy as np
import pytest
import xarray as xr

import figures
from figures.questions import question_asymptotic
from figures.questions.question_asymptotic_loads import chosen, judged, largest_loads, trend
from figures.questions.question_asymptotic_search import Found, walk
from toymodels.errors import InputError

LOADS = np.array([1.0, 2.0, 4.0, 8.0]) * 1e-3
LIMITS = {"spurious": 1e-3, "error": 0.1}
WIDTHS = np.array([1000, 2000, 4000, 8000])


def rising(at, power=5):
    """Both measures of a network, which pass their limits at a load."""
    return Found(1e-3 * (LOADS / at) ** power, 0.1 * (LOADS / at) ** power)


# Loads.


def table(rows):
    values = np.array(rows)
    names = {n: (("seed", "load"), values[:, i]) for i, n in enumerate(LIMITS)}
    return xr.Dataset(names, {"load": LOADS})


def test_the_largest_load_is_read_off_a_line_in_logarithms():
    found = largest_loads(table([rising(0.003), rising(0.0015)]), LIMITS)
    np.testing.assert_allclose(found["largest"].sel(limit="quiet"), [0.003, 0.0015])
    np.testing.assert_allclose(found["largest"].sel(limit="accurate"), [0.003, 0.0015])
    assert found["passed"].values.all()


def test_limits_that_are_never_or_always_passed_leave_a_bound_or_nothing():
    rows = np.array([rising(0.03), rising(0.0003), rising(0.003), rising(0.003)])
    rows[2] = np.nan  # nothing was measured
    rows[3, :, 2:] = np.inf  # blew up
    found = largest_loads(table(rows), LIMITS).sel(limit="quiet")
    np.testing.assert_array_equal(found["largest"][:3], [0.008, np.nan, np.nan])
    np.testing.assert_array_equal(found["passed"], [0, 1, 0, 1])
    assert 0.002 < found["largest"][3] < 0.0025


def test_loads_are_measured_until_both_limits_lie_between_neighbours():
    def measured(i):
        return Found(0.0 if i < 6 else 1.0, 0.0 if i < 8 else np.nan)

    for start in range(20):
        found = walk(measured, Found(1e-3, 0.1), 20, start)
        assert {5, 6, 7, 8} <= found.keys()
        assert len(found) <= 12
    assert sorted(walk(measured, Found(1e-3, 0.1), 20, 5)) == [5, 6, 7, 8]
    assert sorted(walk(measured, Found(1e-3, 0.1), 7, 9)) == [5, 6]  # no room beyond
    assert sorted(walk(measured, Found(1.0, 1.0), 5, 1)) == [1, 2, 4]  # never passed
    assert 0 in walk(measured, Found(-1.0, -1.0), 20, 9)  # from the first on
    assert walk(measured, Found(1e-3, 0.1), 0, 3) == {}


def test_networks_that_choose_do_not_judge():
    largest = xr.DataArray(
        [[[3.0, 1, 1], [2, 9, 7]]], dims=("limit", "redundancy", "seed")
    ).assign_coords(limit=["quiet"], redundancy=[4, 6])
    assert chosen(largest, 1).values == [4]
    assert chosen(largest * np.nan, 1).values == [4]
    found = judged(largest.to_dataset(name="largest").assign(passed=largest > 0), 1, 6)
    np.testing.assert_array_equal(found["mean"].squeeze(), [1, 8])


@pytest.mark.parametrize(("power", "of_log"), [(-0.4, 0), (0, -2.0)])
def test_a_trend_finds_its_exponent(power, of_log):
    n = WIDTHS / 4
    fit = trend(n, 0.01 * n**power * np.log(n) ** of_log, True)
    if power:
        assert fit.low == pytest.approx(-0.4) and fit.high == pytest.approx(-0.4)
        assert np.argmin(fit.off) == 3
    else:
        assert fit.log_slope == pytest.approx(-2)
        assert np.argmin(fit.off) == 2
    assert np.isnan(trend(n, n, False).slope)
    assert np.isnan(trend(n[:2], n[:2], True).slope)


# Answers.


def answers(loads, n_seeds=4, noise=0.01, passed=1):
    """A dataset of one design whose largest loads, by limit and width, are these."""
    rng = np.random.default_rng(0)
    values = np.array(loads)[:, :, None] * np.exp(noise * rng.normal(size=(2, 4, n_seeds + 1)))
    values = values[:, :, None, None, None]  # limit, width, design, n_active, redundancy
    dims = ("limit", "width", "design", "n_active", "redundancy", "seed")
    coords = {"limit": ["quiet", "accurate"], "width": WIDTHS, "n_active": [1], "redundancy": [6]}
    found = xr.Dataset({"largest": (dims, values)}, coords)
    found["passed"] = xr.full_like(found["largest"], passed, np.int8)
    found = question_asymptotic._with_trends(judged(found, 1, 6))
    settings = {"threshold": 0.004, "flat": -0.02, "fixed_redundancy": 6, "lowest_load": 1e-3}
    settings |= {"n_judging": n_seeds, "n_judging_widest": n_seeds}
    settings |= {"n_layers": 4, "largest_spurious": 1e-3, "largest_error": 0.1}
    names = {"assignment": ("design", ["transversal"]), "inhibition": ("design", [1.0])}
    return found.assign_coords(settings | names)


LEVEL, FALLING, LOW = [0.006] * 4, [0.008, 0.007, 0.006, 0.005], [0.003] * 4


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (answers([LEVEL, LEVEL], noise=1e-3), "supported"),
        (answers([LEVEL, LEVEL], passed=0), "supported"),  # beyond every load that was tried
        (answers([FALLING, LEVEL], noise=1e-3), "not supported"),
        (answers([LEVEL, LOW], noise=1e-3), "not supported"),
        (answers([LEVEL, [0.004] * 4]), "undecided"),
        (answers([LEVEL, LEVEL], n_seeds=1), "undecided"),
        (answers([LOW, FALLING], n_seeds=1), "undecided"),
        (answers([LEVEL, [np.nan] * 4]), "undecided"),
    ],
)
def test_the_answer_is_judged_by_intervals(dataset, said):
    assert question_asymptotic.verdict(dataset) == said
    text = question_asymptotic.claim(dataset)
    assert "nan" not in text and "inf" not in text


def test_networks_that_fail_from_the_first_load_on_are_not_left_out():
    found = answers([LEVEL, LEVEL], noise=1e-3)
    found["largest"][{"width": -1, "seed": [2, 3]}] = np.nan
    assert question_asymptotic.verdict(found) == "undecided"
    assert "some networks fail from 0.001 on" in question_asymptotic.claim(found)
    fewer = found.assign_coords(n_judging_widest=2)  # they were never drawn
    assert question_asymptotic.verdict(fewer) == "supported"


def test_one_design_that_works_is_enough():
    good, bad = answers([LEVEL, LEVEL], noise=1e-3), answers([FALLING, LOW], noise=1e-3)
    both = xr.concat([bad, good], "design")
    assert question_asymptotic.verdict(both) == "supported"


def test_the_claim_names_loads_trend_and_bounds():
    said = question_asymptotic.claim(answers([FALLING, LEVEL], noise=1e-3))
    assert "stay quiet up to T (d/D)² = 0.008 [" in said
    assert "at D = 1,000 and 0.005 [" in said
    assert "-14% [" in said and "each time D doubles; off are a constant by 20%" in said
    assert said.endswith("; vectors stay accurate up to 0.006 [0.00599, 0.00601] at D = 8,000")
    open_ = question_asymptotic.claim(answers([LEVEL, LEVEL], passed=0))
    assert "= at least 0.006 at D = 1,000" in open_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width=[1001]", "width = 1001 is not divisible"),
        ("width=[400, 400]", "holds a value twice"),
        ("inhibition=[1.0]", "assignment has 2 values and inhibition 1"),
        ('assignment=["transversal", "random_subsets"]', "whose capacity is known"),
        ("fixed_redundancy=7", "give one of redundancy, 2 and 3"),
        ("lowest_load=0.5", "the lowest below the highest"),
        ("n_judging=0", "n_judging = 0 must be at least 1"),
    ],
)
def test_settings_that_are_not_possible_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        figures.question_asymptotic.compute(overrides=(text,), version="tiny")
