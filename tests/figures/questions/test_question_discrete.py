"""The verdict on discrete angles, from made-up errors of which the answer is known."""

import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED
from figures.questions import question_discrete as question
from toymodels.errors import InputError

WAYS = [question.CONTINUOUS, question.INDICATORS, question.CLEANED, question.SIGNS]
LAYERS = np.arange(11)


def analysed(growth, seeds=5, noise=1e-5, numbers=(75, 150), lost=()):
    """Errors that grow by so much a layer in each way, twice as fast with the more circuits."""
    rng = np.random.default_rng(0)
    slopes = np.array(growth)[:, None, None] * np.arange(1, len(numbers) + 1)[:, None]
    slopes = slopes + noise * rng.normal(size=(len(WAYS), len(numbers), seeds))
    error = slopes[..., None] * LAYERS
    diverged = np.zeros(error.shape[:-1], np.int8)
    for way in lost:
        error[way], diverged[way] = np.nan, 1
    dims = ("way", "n_circuits", "seed")
    names = {name: ("way", np.array([w[i] for w in WAYS])) for i, name in enumerate(question.WAYS)}
    sizes = {"n_layers": 10, "n_active": 2, "width": 996, "large": 0.1, "flat": 1e-3}
    axes = {"n_circuits": list(numbers), "seed": np.arange(seeds), "layer": LAYERS}
    return question.analyse(
        xr.Dataset(
            {"mse_x_active": ((*dims, "layer"), error), "diverged": (dims, diverged)},
            coords=names | sizes | axes | {"shown": ("shown", [75])},
        )
    )


def test_slopes_and_rotations_survived_are_those_put_in():
    """Error 0.02 l exceeds 0.1 first in layer 6: five rotations survived; a flat one, all ten."""
    found = analysed((0.02, 0.01, 0.0, 1e-4), noise=1e-9)
    slopes = found["slope_mean"].values
    np.testing.assert_allclose(
        slopes, [[0.02, 0.04], [0.01, 0.02], [0, 0], [1e-4, 2e-4]], atol=1e-6
    )
    np.testing.assert_allclose(found["survived_mean"].isel(n_circuits=0), [5, 10, 10, 10], atol=1)
    assert int(found["survived_mean"][2, 1]) == 10


@pytest.mark.parametrize(
    ("growth", "given", "answer"),
    [
        ((0.02, 0.01, 0.0, 1e-4), {}, SUPPORTED),
        ((0.02, 0.01, 5e-3, 1e-4), {}, NOT_SUPPORTED),  # cleaned values grow as well
        ((0.02, 1e-4, 0.0, 1e-4), {}, NOT_SUPPORTED),  # clean indicators are enough
        ((0.02, 0.01, 0.0, 1e-4), {"noise": 3e-3}, UNDECIDED),
        ((0.02, 0.01, 0.0, 1e-4), {"seeds": 1}, UNDECIDED),
        ((0.001, 0.001, 0.0, 1e-4), {}, UNDECIDED),  # continuous angles do not fail
        ((0.006, 1e-3, 0.0, 1e-4), {}, SUPPORTED),  # they do with 150 circuits alone
        ((0.02, 0.01, 0.0, 1e-4), {"lost": (0, 1, 2, 3)}, UNDECIDED),
        ((0.02, 0.01, 0.0, 1e-4), {"lost": (2,)}, UNDECIDED),
        ((0.02, 0.01, 0.0, 1e-4), {"numbers": (75,)}, SUPPORTED),
    ],
)
def test_verdict_is_judged_by_intervals_where_continuous_angles_fail(growth, given, answer):
    found = analysed(growth, **given)
    assert question.verdict(found) == answer
    assert question.claim(found)


def test_a_cleaned_error_that_stays_large_is_not_held():
    found = analysed((0.02, 0.01, 0.0, 1e-4))
    for end in ("low", "mean", "high"):
        found[f"last_{end}"][{"way": WAYS.index(question.CLEANED)}] = 1.9
    assert question.verdict(found) == NOT_SUPPORTED


def test_up_to_a_number_of_circuits_means_every_smaller_one():
    found = analysed((0.02, 0.01, 0.0, 1e-4), numbers=(75, 150, 400))
    assert "cleaned in every layer up to T = 400" in question.claim(found)
    found["slope_high"][{"way": WAYS.index(question.CLEANED), "n_circuits": 1}] = 0.1
    assert "cleaned in every layer up to T = 75" in question.claim(found)


@pytest.mark.parametrize(("given", "says"), [("flat=-0.1", "at least 0"), ("large=0.0", "above 0")])
def test_limits_that_no_error_keeps_to_are_refused(given, says):
    with pytest.raises(InputError, match=says):
        figures.question_discrete.compute(version="tiny", overrides=[given])


def test_claim_says_what_came_out_at_which_load():
    said = question.claim(analysed((0.006, 0.005, 0.0, 1e-4), noise=1e-9))
    assert "2 of 150 circuits active where 249 fit" in said  # 75 do not reach 0.1
    assert "0.12 (0.12 to 0.12) for any angle" in said
    assert "such signs up to T = 150 (of which 166 fit side by side)" in said
    said = question.claim(analysed((0.02, 0.01, 0.0, 0.02)))
    assert "signs at no T" in said
