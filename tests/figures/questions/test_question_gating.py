"""The verdict on gates, from made-up errors of which the answer is known."""

import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED
from figures.questions import question_gating as question
from toymodels.errors import InputError

WAYS = [("none", 2), ("by_share", 2), ("blind", 2), ("weights", 2), ("weights", 3)]
NUMBERS, SHARES = [100, 400], [0.25, 1.0]


def swept(errors, seeds, noise, lost=()):
    rng = np.random.default_rng(0)
    shape = (len(WAYS), len(NUMBERS), len(SHARES), seeds)
    values = np.array(errors)[:, None, None, None] * np.exp(noise * rng.normal(size=shape))
    diverged = np.zeros(shape, np.int8)
    for way in lost:
        values[way], diverged[way] = np.nan, 1
    dims = ("way", "n_circuits", "share_kept", "seed")
    gates = {
        "gate": ("way", [gate for gate, _ in WAYS]),
        "gate_from": ("way", [first for _, first in WAYS]),
        "gate_strength": ("way", [0.4] * len(WAYS)),
    }
    axes = {"n_circuits": NUMBERS, "share_kept": SHARES, "seed": np.arange(seeds)}
    sizes = {"n_layers": 5, "factor": 2.0, "share": 0.25, "shown": ("shown", [400])}
    return xr.Dataset(
        {"mse_x_active": ((*dims, "layer"), values[..., None]), "diverged": (dims, diverged)},
        coords=gates | axes | sizes,
    )


def attended(seeds):
    shape = (2, 3, seeds)
    dims = ("context", "temperature", "seed")
    share = np.broadcast_to(np.array([1.0, 0.8, 0.0])[:, None], shape)[..., None]
    names = ("survived", "survived_alone", "spurious", "spurious_alone")
    return xr.Dataset(
        dict.fromkeys(names, ((*dims, "layer"), share))
        | {"diverged": (dims, np.zeros(shape, np.int8))},
        coords={
            "temperature": [0.5, 1.0, 2.0],
            "n_tokens": ("context", [3, 50]),
            "n_calling": ("context", [1, 30]),
            "n_circuits": 400,
            "n_layers": 5,
        },
    )


def analysed(errors, seeds=5, noise=0.05, lost=()):
    return question.analyse(
        swept(errors, seeds, noise, lost), {"question-gating-attention": attended(seeds)}
    )


@pytest.mark.parametrize(
    ("errors", "given", "answer"),
    [
        ((0.2, 0.04, 0.04, 0.01, 0.03), {}, NOT_SUPPORTED),
        ((0.2, 0.012, 0.04, 0.01, 0.03), {}, SUPPORTED),
        ((0.2, 0.02, 0.04, 0.01, 0.03), {"noise": 0.5}, UNDECIDED),
        ((0.2, 0.04, 0.04, 0.01, 0.03), {"seeds": 1}, UNDECIDED),
        ((0.2, 0.04, 0.04, 0.0, 0.0), {}, UNDECIDED),  # nothing to compare with
        ((0.2, 0.04, 0.04, 0.01, 0.03), {"lost": range(5)}, UNDECIDED),
    ],
)
def test_verdict_is_judged_by_intervals_of_the_ratio(errors, given, answer):
    found = analysed(errors, **given)
    assert question.verdict(found) == answer
    assert question.claim(found)


def test_gates_that_hold_in_turns_do_not_hold():
    gates = ["none", "by_share", "exclusive", "weights", "weights"]
    found = analysed((0.2, 0.012, 0.012, 0.01, 0.03)).assign_coords(gate=("way", gates))
    for way, number in ((1, 0), (2, 1)):
        assert question.verdict(found) == SUPPORTED
        for end in ("mean", "low", "high"):
            found[f"ratio_{end}"][{"way": way, "n_circuits": number}] *= 4
    assert question.verdict(found) == NOT_SUPPORTED


def test_a_factor_of_one_is_refused():
    with pytest.raises(InputError, match=r"factor = 1\.0 must be above 1"):
        figures.question_gating.compute(version="tiny", overrides=["factor=1.0"])


def test_claim_says_what_came_out():
    said = question.claim(analysed((0.2, 0.04, 0.08, 0.01, 0.03), noise=0.0))
    assert "With 100 of 400 circuits kept a gate on neurons errs 4 (4 to 4) times" in said
    assert "(0.01; no gate 0.2; one built for the kept alone 0.2)" in said
    assert "by share, 0.5 (0.5 to 0.5) times as much as blind" in said
    assert "only from layer 3 on it is 3 (3 to 3) times" in said
    assert "1 of 3 and 30 of 50 tokens" in said
    assert "up to temperature 1 and 1, as alone" in said


def test_networks_of_as_many_circuits_as_are_kept_stand_beside():
    found = analysed((0.2, 0.04, 0.08, 0.01, 0.03), noise=0.0)
    assert found["anew_mean"].sel(n_circuits=400, share_kept=0.25) == pytest.approx(0.2)
    assert np.isnan(found["anew_mean"].sel(n_circuits=100, share_kept=0.25))
