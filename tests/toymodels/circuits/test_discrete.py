"""Values that may be put right: the nearest of m, and circuits that clean their own signs."""

import numpy as np
import pytest

from toymodels.circuits.discrete import (
    CleanUp,
    discrete_angles,
    draw_values,
    sign_circuit,
    snap,
    switch,
    value_angles,
)
from toymodels.circuits.small_circuits import rotation_circuit, run_circuits
from toymodels.errors import InputError

UNIFORM = np.linspace(0, 1, 40, endpoint=False)
QUARTER_TURNS = np.arange(4) * np.pi / 2


@pytest.mark.parametrize("m", [2, 4, 5, 16])
def test_rotations_map_the_values_onto_themselves(m):
    values = np.exp(1j * np.unique(value_angles(UNIFORM, m)))
    turned = values[:, None] * np.exp(1j * discrete_angles(UNIFORM, m))
    assert len(values) == m
    assert np.abs(turned[..., None] - values).min(axis=-1).max() < 1e-12


def test_no_values_are_any_angle():
    np.testing.assert_allclose(discrete_angles(UNIFORM, 0), 2 * np.pi * UNIFORM)
    np.testing.assert_allclose(value_angles(UNIFORM, 0), 2 * np.pi * UNIFORM)


def test_snapping_undoes_any_noise_short_of_half_a_step():
    m, rng = 8, np.random.default_rng(0)
    angle = value_angles(UNIFORM, m)
    noisy = angle + rng.uniform(-0.99, 0.99, 40) * np.pi / m
    read = np.stack([rng.uniform(0.51, 1.5, 40), 0.3 * np.cos(noisy), 0.3 * np.sin(noisy)], axis=1)
    clean = np.stack([np.ones(40), np.cos(angle), np.sin(angle)], axis=1)
    read[0, 0], clean[0] = 0.49, 0.0
    np.testing.assert_allclose(snap(read[..., None], m)[..., 0], clean, atol=1e-6)
    indicators = switch(read[..., None], m)[..., 0]
    np.testing.assert_array_equal(indicators[:, 0], clean[:, 0])
    np.testing.assert_allclose(indicators[1:, 1:], read[1:, 1:], rtol=1e-6)
    assert not indicators[0].any()


def test_clean_ups_come_in_every_third_layer():
    values = np.full((2, 3, 1), 0.7, np.float32)
    third = CleanUp(snap, every=3, n_values=4)
    assert [third.clean(layer, values) is not None for layer in range(1, 8)] == [
        *(False, False, True, False, False, True, False)
    ]
    assert CleanUp(snap, every=0, n_values=4).clean(3, values) is None


def test_sign_circuits_turn_by_quarters_and_put_noisy_signs_right():
    """Alone `a₂ - a₃ - α = clip(k u, -1, 1)`: exact from |u| = 1/k on, 0 where it is off."""
    circuits = sign_circuit(QUARTER_TURNS)
    state = draw_values(np.random.default_rng(0), (4,), circuits, 4)
    exact = state @ circuits.decode.T
    assert np.ptp(np.abs(exact[:, 1:])) < 1e-6  # signs over √2
    members = np.arange(4)
    values = run_circuits(circuits, members, state, 3)[..., 1:]
    for layer in range(4):
        turned = np.exp(1j * layer * QUARTER_TURNS) * (exact[:, 1] + 1j * exact[:, 2])
        np.testing.assert_allclose(
            values[layer][:, 0] + 1j * values[layer][:, 1], turned, atol=1e-5
        )
    weak = np.linalg.pinv(circuits.decode) @ (exact * [1, 0.51, 0.7]).T
    again = run_circuits(circuits, members, weak.T.astype(np.float32), 1)
    np.testing.assert_allclose(again[1], run_circuits(circuits, members, state, 1)[1], atol=1e-5)
    off = np.linalg.pinv(circuits.decode) @ (exact * [0, 0.3, -0.3]).T
    assert not run_circuits(circuits, members, off.T.astype(np.float32), 1)[1].any()


def test_the_shortest_state_holds_the_values_of_the_usual_one():
    circuits = rotation_circuit(QUARTER_TURNS)
    values = draw_values(np.random.default_rng(0), (50,), circuits, 16) @ circuits.decode.T
    np.testing.assert_allclose(values[:, 0], 1, atol=1e-6)
    np.testing.assert_allclose(np.hypot(values[:, 1], values[:, 2]), 1, atol=1e-6)


def test_other_turns_than_quarters_are_refused():
    with pytest.raises(InputError, match="multiples of π/2"):
        sign_circuit(np.array([0.0, 1.0]))
    with pytest.raises(InputError, match="gain"):
        sign_circuit(QUARTER_TURNS, gain=0.5)
