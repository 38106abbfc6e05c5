"""The figure of the trained universal AND, on networks that are known."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures.circuits import universal_and_trained as figure
from figures.circuits.universal_and_baselines import FAMILIES, LINEAR, OWN
from figures.circuits.universal_and_structure import by_two_values, normal, share_taking_part
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.circuits.constructions.and_read_outs import least_error
from toymodels.errors import InputError
from toymodels.tasks.universal_and import pairs

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

M, N_PAIRS = 5, 10
ERROR = 0.2


def networks(n_active=(2, 3), n_seeds=2, diverged=0):
    """A neuron for each AND, exact but for what seeds add to biases of outputs."""
    shape = (len(n_active), n_seeds)
    first, second = pairs(M)
    W = np.zeros((N_PAIRS, M), np.float32)
    W[np.arange(N_PAIRS), first] = W[np.arange(N_PAIRS), second] = 1
    wrong = ERROR * (np.arange(n_seeds) > 0).astype(np.float32)
    both = ("setting", "seed")
    arrays = {
        "W": ((*both, "hidden", "feature"), np.broadcast_to(W, (*shape, N_PAIRS, M))),
        "V": (
            (*both, "output", "hidden"),
            np.broadcast_to(np.eye(N_PAIRS, dtype="f4"), (*shape, N_PAIRS, N_PAIRS)),
        ),
        "c": ((*both, "hidden"), np.full((*shape, N_PAIRS), -1, np.float32)),
        "b": ((*both, "output"), np.broadcast_to(wrong[:, None], (*shape, N_PAIRS))),
        "loss_ranking": (both, np.broadcast_to(wrong, shape)),
        "diverged": (both, np.full(shape, diverged)),
        "still_falling": (both, np.full(shape, 1)),
    }
    coords = {
        "n_hidden": ("setting", [N_PAIRS] * shape[0]),
        "n_active": ("setting", list(n_active)),
    }
    coords |= {name: ("setting", [v] * shape[0]) for name, v in (("class_balance", 1.0),)}
    coords |= {"exponent": ("setting", [2.0] * shape[0]), "seed": np.arange(n_seeds), "most": 50}
    coords |= {"densities": [0.5], "thresholds": [0.0]}
    return xr.Dataset(arrays, coords)


def analysed(**how):
    dataset = networks(**how)
    parts = {name: part() for name, part in figure.parts(dataset).items()}
    return figure.analyse(dataset, parts)


@pytest.fixture(scope="module")
def result():
    return analysed()


def test_exact_networks_err_by_what_was_added_and_read_every_and_right(result):
    np.testing.assert_allclose(result["error"], ERROR**2 / 2, rtol=1e-5)  # of one seed of two
    np.testing.assert_allclose(result["read_right"], 1.0)
    np.testing.assert_allclose(result["features_heard"], 2 / M)
    np.testing.assert_allclose(result["outputs_served"], 1 / N_PAIRS)
    np.testing.assert_allclose(result["two_values"], 1.0)
    np.testing.assert_allclose(result["least_error"], [least_error(M, s, N_PAIRS) for s in (2, 3)])


def test_baselines_come_no_lower_than_the_bound_and_a_linear_read_out_is_the_same_for_all_seeds(
    result,
):
    fitted = result["baseline_error"].sel(family=[f for f in FAMILIES if f != OWN])
    assert bool((fitted >= result["least_error"] - 1e-6).all())
    spread = result["baseline_error_high"] - result["baseline_error_low"]
    assert not spread.sel(family=LINEAR).any()


def test_the_claim_says_errors_in_units_of_others(result):
    result = result.copy(deep=True)
    assert "10 neurons err 0.02 where none is possible with 2 on" in figure.claim(result)
    result["ratio"][:] = [[4.0], [5.0]]
    result["ratio_low"][:], result["ratio_high"][:] = result["ratio"] / 2, result["ratio"] * 2
    result["least_error"][:] = result["error"] / 3
    said = figure.claim(result)
    assert "10 trained neurons for the 10 ANDs of 5 inputs, 2 to 3 of them on, err" in said
    assert "0.2 (0.1–0.4) to 0.25 (0.125–0.5) times as much as the sparse construction" in said
    assert "10 neurons err 3 times the least that is possible with 2 on" in said


@pytest.mark.parametrize("how", [{"n_seeds": 1}, {"diverged": 1}, {"n_active": (2,)}])
def test_one_seed_lost_runs_and_a_single_setting_are_said_and_drawn(how):
    found = analysed(**how)
    assert ("Every run diverged" in figure.claim(found)) == ("diverged" in how)
    assert any("still improve" in part for part in figure.caption(found))
    figure.draw(found)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("n_features=7", "n_outputs = 276: 7 features have 21 pairs"),
        ("densities=[0.0]", "densities holds 0"),
        ("most=2", "most = 2 must be at least 10"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(override, told):
    with pytest.raises(InputError, match=told):
        planned(entry_of("universal-and-trained"), "", (override,))


def test_shares_of_known_weights():
    W = np.array([[1.0, -1, 1, -1], [2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(share_taking_part(W), [1, 0.25, 0.5, 0])
    np.testing.assert_allclose(by_two_values(W), [1, 1, 1, 0])
    heard, by_two = normal(200)
    assert heard == pytest.approx(1 / 3, rel=0.03)
    assert by_two == pytest.approx(2 / np.pi, rel=0.01)
