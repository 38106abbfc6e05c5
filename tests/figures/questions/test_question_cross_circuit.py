"""What `question-cross-circuit` says of errors that grow as E t² does, faster, or not at all."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED
from figures.questions import question_cross_circuit as question
from toymodels.errors import InputError

GRAPH = ["own", "feeding", "feeding", "elsewhere", "elsewhere", "merging", "both", "either"]
K = np.array([1, 1, 3, 1, 3, 2, 2, 2])
ACTIVE = [1, 1, 1, 1, 1, 1, 2, 2]
T, N, S = np.array([100, 200]), 50, 5
SPREAD = np.array([-1.0, 0, 1, 0.5])


def networks(growth, spread=0.0, seeds=4, lost=0):
    """Errors of layer 2 that grow by `growth` E t² with k, twice as much in layer 3."""
    connections = T * np.where([g in ("own", "merging") for g in GRAPH], 1, K)[:, None]
    t = 0.02
    slope = np.where([g == "feeding" for g in GRAPH], growth, 1.0)[:, None, None]
    slope = slope + spread * SPREAD[:seeds]
    error = T[:, None] * t**2 * (1 + slope * (K[:, None, None] - 1))  # [case, network, seed]
    layers = np.stack([0 * error, 0 * error, error, 2 * error], axis=-1)
    dims = ("case", "network", "seed", "layer")
    known = {
        "mse_x_active": (dims, layers),
        "connections": (dims, np.broadcast_to(connections[..., None, None], layers.shape)),
        "overlap_probability": (dims, np.full(layers.shape, t * S**2)),
    }
    rest = ("mse_x_alone", "dropped", "spurious", "active", "link_density")
    known |= {name: (dims, np.full(layers.shape, 0.1)) for name in rest}
    known["diverged"] = (dims[:3], np.zeros(error.shape, np.int8))
    known["diverged"][1][..., :lost] = 1
    coords = {"graph": ("case", GRAPH), "in_degree": ("case", K), "n_active": ("case", ACTIVE)}
    coords |= {"n_circuits": ("network", T), "width": 4 * N, "layer": np.arange(4)}
    coords |= {"redundancy": S, "least": 0.8, "most": 1.25, "limit": 0.15}
    return xr.Dataset(known, coords)


@pytest.mark.parametrize(
    ("made", "verdict", "says"),
    [
        (networks(1.0), SUPPORTED, r"E of connections decides.* 1.00 \[1.00, 1.00\] times"),
        (networks(2.0), NOT_SUPPORTED, r"Not only the number E .* 2.00 \[2.00, 2.00\]"),
        (networks(0.5), NOT_SUPPORTED, r"Not only the number E"),
        (networks(1.2, spread=0.3), UNDECIDED, "is open"),
        (networks(1.0, seeds=1), UNDECIDED, r"is open.* 1.00 times"),
        (networks(1.0, lost=4), UNDECIDED, "Nothing can be said"),
    ],
)
def test_all_three_answers_and_what_the_claim_says(made, verdict, says):
    found = question.analyse(made)
    assert question.verdict(found) == verdict
    assert re.search(says, question.claim(found))
    question.caption(found)


def test_what_the_law_says_is_told_as_its_own():
    said = question.claim(question.analyse(networks(1.0)))
    assert "by the law of overlaps, in which" in said and "it would be 1" in said


def test_lines_ratios_and_room_are_those_of_the_errors():
    found = question.analyse(networks(2.0))
    np.testing.assert_allclose(found["ratio_mean"].sel(graph_name="feeding"), 2)
    np.testing.assert_allclose(found["ratio_mean"].sel(graph_name="elsewhere"), 1)
    t = 0.02
    law = 1 + (1 + 0.825) * t / (T * t**2)
    np.testing.assert_allclose(found["ratio_law"].sel(graph_name="feeding"), law)
    np.testing.assert_allclose(found["ratio_law"].sel(graph_name="elsewhere"), 1)
    # Layer 3 errs by 2 T t² (1 + growth (k - 1)): the limit is passed where that is 0.15.
    room = found["capacity_mean"].values
    np.testing.assert_allclose(room[:3], [187.5, 187.5, np.nan])
    np.testing.assert_allclose(found["expected_density"].sel(case=5), -np.expm1(-T * (S / N) ** 2))


def test_a_network_without_a_second_step_is_refused():
    with pytest.raises(InputError, match="n_layers = 2"):
        figures.question_cross_circuit.compute(version="tiny", n_layers=2)


def test_limits_with_nothing_between_them_are_refused():
    with pytest.raises(InputError, match=r"least = 2\.0 and most = 1\.25"):
        figures.question_cross_circuit.compute(version="tiny", overrides=["least=2.0"])


def test_it_draws_where_no_line_fits_and_no_room_is_found():
    figure = question.draw(question.analyse(networks(1.0, seeds=1, lost=1)))
    plt.close(figure)
