"""The simulation: exact identities, invariances, drawing, blocks and what is refused."""

import tracemalloc

import jax
import numpy as np
import pytest

from toymodels.circuits import examples
from toymodels.circuits.assignment import (
    overlap_probability,
    prime_steps,
    random_subsets,
    transversal,
)
from toymodels.circuits.examples import draw_blocks, generator
from toymodels.circuits.forward import ideal_gating, plan, relu_gating
from toymodels.circuits.measures import add, errors_from, measure_block
from toymodels.circuits.network import capped_network
from toymodels.circuits.simulation import (
    rotation_network,
    rotation_trajectories,
    simulate_circuits,
    simulate_rotations,
)
from toymodels.circuits.small_circuits import active_rotations, step_circuits, step_states
from toymodels.errors import InputError
from toymodels.fields import fields_of
from toymodels.streams import Stream

KEY = jax.random.key(0)
SIZES = {"n_circuits": 120, "width": 400, "redundancy": 4, "n_layers": 3}


def simulate(key=KEY, *, n_active=1, n_samples=120, **more):
    return simulate_rotations(key, n_active=n_active, n_samples=n_samples, **(SIZES | more))


def test_the_input_is_exact_and_layer_1_disturbs_only_inactive_circuits():
    found = simulate()
    p = overlap_probability(prime_steps(120, 100, 4), 100)
    for name in ("mse_x_active", "mse_on_active"):
        np.testing.assert_allclose(getattr(found, name)[:2], 0, atol=1e-12)
    for name in ("mse_x_inactive", "mse_on_inactive"):
        assert getattr(found, name)[0] == 0
        assert getattr(found, name)[1] == pytest.approx(p / 16, rel=1e-5)
    assert found.mean_on_inactive[1] == pytest.approx(p / 4, rel=1e-5)
    np.testing.assert_allclose(found.overlap_probability[1:], p)
    np.testing.assert_allclose(found.fraction_on[1], 4 / 100, atol=1e-3)


def test_what_layers_lack_is_nan():
    found = simulate(n_layers=2)
    assert np.isnan(found.fraction_on[0]).all()
    assert np.isnan(found.overlap_probability[0])
    for name in ("link_density", "inhibition_strength"):
        np.testing.assert_array_equal(np.isnan(getattr(found, name)), [True, True, False])


@pytest.mark.parametrize("n_active", [2, 3])
def test_indicators_of_active_circuits_are_exact_in_layer_1(n_active):
    found = simulate(n_active=n_active, n_samples=500)
    assert found.worst_on_active[1] < 1e-5
    assert found.worst_on_inactive[1] <= n_active / 4 + 1e-6
    assert found.worst_x_active[1] <= (n_active - 1) * (2 * 2**0.5 + 1) / 4 + 1e-5


@pytest.mark.parametrize("n_active", [1, 4])
def test_one_neuron_per_circuit_without_sharing_is_exact_in_every_layer(n_active):
    found = simulate(n_circuits=100, redundancy=1, n_active=n_active, n_layers=5)
    for name in ("x_active", "x_inactive", "on_active", "on_inactive"):
        np.testing.assert_allclose(getattr(found, f"worst_{name}"), 0, atol=2e-5)
    np.testing.assert_allclose(found.fraction_on[1:], n_active / 100, rtol=0.05)


def test_a_single_circuit_is_exact_and_has_no_inactive_ones():
    found = simulate(n_circuits=1, n_samples=3)
    np.testing.assert_allclose(found.worst_x_active, 0, atol=1e-5)
    assert np.isnan(found.mse_on_inactive[1:]).all()
    np.testing.assert_array_equal(found.inhibition_strength[2:], 0)


def test_indicators_do_not_depend_on_the_bias_at_all():
    one, other = (simulate(bias=b, n_active=2) for b in (0.25, 2.0))
    for name in ("mse_on_active", "mse_on_inactive", "worst_on_inactive", "spurious"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert np.all(one.mse_x_active[1:] < other.mse_x_active[1:])


def test_inhibition_is_scaled_and_less_of_it_lets_more_switch_on():
    none, usual, more = (simulate(inhibition=times, n_samples=240) for times in (0.0, 1.0, 1.3))
    np.testing.assert_allclose(none.inhibition_strength[2:], 0)
    np.testing.assert_allclose(more.inhibition_strength[2:], 1.3 * usual.inhibition_strength[2:])
    assert none.spurious[3] > 10 * usual.spurious[3]
    assert none.mse_x_active[3] > usual.mse_x_active[3]


def test_a_higher_gain_removes_more_noise_below_one_half():
    low, high = (simulate(gain=k, n_samples=240) for k in (1.2, 4.0))
    assert high.mse_on_inactive[2] < 0.9 * low.mse_on_inactive[2]
    np.testing.assert_allclose(low.mse_on_inactive[1], high.mse_on_inactive[1], rtol=1e-5)


def test_ideal_gating_switches_nothing_on_and_has_less_error():
    cut, ideal = (simulate(gating=g, n_samples=240) for g in (relu_gating, ideal_gating))
    assert ideal.worst_on_active[3] < 1e-4
    np.testing.assert_allclose(ideal.fraction_on[1:, :2], 4 / 100, atol=1e-6)
    assert np.all(ideal.mse_on_inactive[2:] < cut.mse_on_inactive[2:])


def test_a_better_assignment_has_less_error():
    found = [
        simulate(assignment=a, n_samples=600) for a in (transversal, prime_steps, random_subsets)
    ]
    errors = [f.mse_x_active[3] for f in found]
    assert errors == sorted(errors)
    assert errors[0] < 0.8 * errors[2]


def test_networks_of_a_random_assignment_differ_in_their_lists():
    overlaps = [
        {
            float(simulate(jax.random.key(seed), assignment=a).overlap_probability[1])
            for seed in range(4)
        }
        for a in (random_subsets, prime_steps)
    ]
    assert [len(seen) for seen in overlaps] == [4, 1]


def test_every_error_says_its_dimensions_and_what_it_is():
    fields = fields_of(simulate())
    assert [f.dims for n, f in fields.items() if n != "fraction_on"] == [("layer",)] * 15
    assert fields["fraction_on"].dims == ("layer", "block")
    assert all(f.words and np.ndim(f.values) == len(f.dims) for f in fields.values())
    largest = {name for name, f in fields.items() if "grows with their number" in f.words}
    assert largest == {name for name in fields if name.startswith("worst_")}
    network = rotation_network(KEY, **SIZES)
    paths = rotation_trajectories(KEY, network, n_active=2, n_samples=3)
    errors = simulate_circuits(KEY, network, active_rotations, n_active=2, n_samples=3)
    for f in (*fields_of(paths).values(), *fields_of(errors).values()):
        assert f.words
        assert np.ndim(f.values) == len(f.dims)


def test_blocks_add_up_to_the_whole():
    network = rotation_network(KEY, **SIZES)
    inputs = next(draw_blocks(KEY, network, active_rotations, 2, 90))
    whole = measure_block(plan(network), inputs, relu_gating)
    halves = [type(inputs)(*(part[rows] for part in inputs)) for rows in (slice(40), slice(40, 90))]
    parts = add(*(measure_block(plan(network), half, relu_gating) for half in halves))
    one, other = (errors_from(network, sums, 90, 2) for sums in (whole, parts))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-9), one, other)


def test_memory_does_not_grow_with_the_number_of_samples():
    network = rotation_network(KEY, **SIZES)

    def peak(n_samples):
        tracemalloc.start()
        simulate_circuits(KEY, network, active_rotations, n_active=2, n_samples=n_samples)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few = 2 * examples.LARGEST_CREW * examples.LARGEST_BLOCK
    # Threads' peaks meet by chance, more often in a long run; growth would be fourfold.
    assert peak(4 * few) < 2 * peak(few)


def test_the_same_key_gives_the_same_numbers_and_another_does_not():
    one, again, other = (simulate(key, n_active=2) for key in (KEY, KEY, jax.random.key(1)))
    jax.tree.map(np.testing.assert_array_equal, one, again)
    assert one.mse_x_active[1] != other.mse_x_active[1]


def test_trajectories_are_what_the_errors_are_made_of():
    network = rotation_network(KEY, **SIZES)
    paths = rotation_trajectories(KEY, network, n_active=2, n_samples=120)
    assert paths.true_x.shape == paths.estimated_x.shape == (120, 2, 4, 2)
    assert paths.true_on.shape == paths.estimated_on.shape == (120, 2, 4)
    np.testing.assert_array_equal(paths.estimated_x[:, :, 0], paths.true_x[:, :, 0])
    np.testing.assert_allclose(np.linalg.norm(paths.true_x, axis=-1), 1, atol=1e-5)
    found = simulate(n_active=2)
    squared = np.sum((paths.estimated_x - paths.true_x) ** 2, axis=-1)
    np.testing.assert_allclose(squared.mean((0, 1)), found.mse_x_active, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(squared.max((0, 1))), found.worst_x_active, rtol=1e-5)
    wrong = (paths.estimated_on - paths.true_on).mean((0, 1))
    np.testing.assert_allclose(wrong, found.mean_on_active, atol=1e-6)


def test_true_trajectories_turn_by_the_circuits_own_angle():
    network = rotation_network(KEY, **SIZES)
    paths = rotation_trajectories(KEY, network, n_active=1, n_samples=20)
    angle = generator(KEY, Stream.ANGLES).uniform(0, 2 * np.pi, 120)[paths.active]
    seen = np.diff(np.unwrap(np.arctan2(paths.true_x[..., 1], paths.true_x[..., 0])), axis=-1)
    np.testing.assert_allclose(np.cos(seen), np.cos(angle)[..., None].repeat(3, -1), atol=1e-5)


def test_dropped_and_spurious_count_circuits_across_one_half():
    """Without inhibition all indicators end on; with a lot, all end off."""
    flooded = simulate(inhibition=0.0, n_layers=6)
    assert flooded.spurious[6] == pytest.approx(1)
    assert flooded.dropped[6] == 0
    dead = simulate(inhibition=20.0, n_active=2, n_layers=6)
    assert dead.dropped[6] > 0.9
    assert dead.spurious[6] < 0.01


def test_step_circuits_run_through_the_same_simulation():
    held = examples.draw_embedding(KEY, prime_steps, 200, 100, 3, 4)
    network = capped_network(step_circuits(200), held, 100)
    found = simulate_circuits(
        KEY, network, lambda rng, shape: step_states(shape), n_active=1, n_samples=200
    )
    assert found.mse_active.shape == (5, 1)
    assert found.fraction_on.shape == (5, 2)
    p = overlap_probability(held[0], 100)
    assert found.mse_inactive[1, 0] == pytest.approx(p / 9, rel=1e-5)
    assert found.mse_active[4, 0] > found.mse_active[1, 0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 401}, "width = 401 is not divisible by d = 4.*use 400 or 404"),
        ({"width": 2}, "use 4"),
        ({"n_circuits": 10_000}, "use n_circuits <= "),
        ({"n_circuits": -1}, "n_circuits = -1"),
        ({"redundancy": 101}, "use 1 to 100"),
        ({"n_active": 121}, "use 1 to 120"),
        ({"n_active": 0}, "use 1 to 120"),
        ({"n_samples": 0}, "n_samples = 0"),
        ({"n_layers": 0}, "n_layers = 0"),
        ({"bias": -1.0}, "bias >= 0"),
        ({"gain": 0.5}, "gain >= 1"),
    ],
)
def test_what_is_not_possible_is_refused_with_the_way_out(wrong, message):
    with pytest.raises(InputError, match=message):
        simulate(**wrong)


def test_a_network_that_blows_up_says_so_without_a_warning():
    found = simulate(bias=1e25, n_active=2)
    assert np.isinf(found.mse_x_active[-1])
