"""The figure `learning-dynamics-octahedron`, on weights and curves that are made."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from figures.toy_models import learning_dynamics_octahedron as figure
from figures.toy_models import octahedron_panels as paint

pytestmark = pytest.mark.usefixtures("paper_style")

STEPS = np.arange(0, 2001, 20)
OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)[:, [1, 2, 0]]], axis=1)
WITHIN_SETS = OCTAHEDRON[:, [0, 5, 1, 3, 2, 4]]  # a pair inside a set


def runs(W, lost=False):
    """Two runs with these last weights and three plateaus."""
    t = np.log(STEPS[1:])
    curve = np.exp(-2 * sum(1 / (1 + np.exp(-30 * (t - at))) for at in (4.5, 6.2)))
    over = ("p_active", "seed")
    curve *= np.nan if lost else 1
    grow = np.linspace(0, 1, len(STEPS))[:, None, None] * W
    return xr.Dataset(
        {
            "W": ((*over, "hidden", "feature"), np.stack([W, W])[None]),
            "feature_dimensionality": ((*over, "feature"), np.full((1, 2, 6), 0.5)),
            "W_at_snapshot": (
                (*over, "snapshot", "hidden", "feature"),
                np.stack([grow, grow])[None],
            ),
            "loss_curve": (
                (*over, "step"),
                np.stack([curve, curve])[None] * [[[np.nan if lost else 1]]],
            ),
            "diverged": (over, np.full((1, 2), int(lost))),
        },
        {"p_active": [0.1], "seed": [0, 1], "snapshot": STEPS, "step": STEPS[1:]},
    )


@pytest.mark.parametrize(
    ("W", "lost", "said"),
    [
        (OCTAHEDRON, False, "2 of 2 runs end as an octahedron"),
        (WITHIN_SETS, False, "None of 2 runs ends as an octahedron; they go through 3 plateaus"),
        (OCTAHEDRON, True, "Every run diverged"),
    ],
)
def test_ends_are_named_by_the_rule_and_drawn(W, lost, said):
    found = figure.analyse(runs(W, lost))
    assert figure.claim(found).startswith(said)
    assert figure.caption(found)
    drawn, axes = plt.subplots(1, 6)
    figure.draw(found, axes)
    assert len(axes[0].patches) == (0 if lost else 3)
    plt.close(drawn)


def test_an_octahedron_may_be_turned_but_not_bent():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    half = np.full(6, 0.5)
    assert figure.is_octahedron(turn @ OCTAHEDRON, half)[0]
    assert not figure.is_octahedron(turn @ OCTAHEDRON, half + 0.03)[0]
    bent = OCTAHEDRON + 0.08 * np.eye(3)[:, [1, 2, 0, 1, 2, 0]]
    assert not figure.is_octahedron(bent, half)[0]


def test_plateaus_and_the_weights_between_them_are_those_of_the_run():
    found = figure.analyse(runs(OCTAHEDRON))
    assert found.sizes["plateau"] == 3
    times = figure.times_shown(found)
    assert times[-1] == 2000
    assert np.all(np.diff(times) > 0)
    np.testing.assert_allclose(np.abs(figure.aligned(found)[-1]).sum(0), 1, atol=1e-6)


def test_what_is_seen_of_three_dimensions_are_two_right_angled_ones():
    seen = paint.project(np.eye(3))
    np.testing.assert_allclose(seen @ seen.T, np.eye(2), atol=1e-12)


def test_an_animation_moves_through_the_run_that_is_shown():
    made = figure.animate(figure.analyse(runs(OCTAHEDRON)))
    shown = plt.gcf()
    made._draw_frame(len(STEPS) - 1)
    assert shown.axes[0].get_title() == "step 2,000"
    made._draw_was_started = True
    plt.close(shown)
