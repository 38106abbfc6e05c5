"""What is random in a simulation: lists, sets of active circuits, blocks of examples, keys."""

from collections import Counter
from functools import partial

import jax
import numpy as np
import pytest

from toymodels.circuits import examples
from toymodels.circuits.assignment import prime_steps, random_subsets, transversal
from toymodels.circuits.examples import draw_blocks, draw_subsets, generator
from toymodels.circuits.simulation import rotation_network
from toymodels.circuits.small_circuits import active_rotations

KEY = jax.random.key(0)
SIZES = {"n_circuits": 120, "width": 400, "redundancy": 4, "n_layers": 3}


def lists_of(key, assignment, n_layers=3):
    """The list of each layer, its circuits in the order of their neurons."""
    held = examples.draw_embedding(key, assignment, 60, 50, 4, n_layers)
    return [sorted(layer.tolist()) for layer in held]


def test_a_random_assignment_is_drawn_anew_with_the_key_and_is_one_for_all_layers():
    one, again, other = (lists_of(key, random_subsets) for key in (KEY, KEY, jax.random.key(1)))
    assert one == again
    assert one[0] == one[1] == one[2]
    assert one[0] != other[0]
    assert one[0] != sorted(random_subsets(60, 50, 4).tolist())
    deeper = lists_of(KEY, random_subsets, n_layers=5)
    assert deeper[0] == one[0]


@pytest.mark.parametrize("fixed", [prime_steps, transversal, partial(random_subsets, seed=1)])
def test_a_fixed_list_does_not_depend_on_the_key(fixed):
    for seed in (0, 1):
        held = examples.draw_embedding(jax.random.key(seed), fixed, 49, 50, 4, 2)
        np.testing.assert_array_equal(held[0], fixed(49, 50, 4))


def test_with_one_active_every_circuit_gets_its_turn():
    network = rotation_network(KEY, **SIZES)
    for n_samples, least in ((120, 1), (300, 2)):
        drawn = draw_blocks(KEY, network, active_rotations, 1, n_samples)
        count = Counter(np.concatenate([inputs.active for inputs in drawn])[:, 0].tolist())
        assert len(count) == 120
        assert min(count.values()) == least
        assert sum(count.values()) == n_samples


def test_subsets_are_different_circuits_and_all_equally_likely():
    rng = np.random.default_rng(0)
    drawn = np.sort(draw_subsets(rng, 6, 3, 20_000), axis=1)
    assert np.all(np.diff(drawn, axis=1) > 0)
    count = Counter(map(tuple, drawn.tolist()))
    assert len(count) == 20
    np.testing.assert_allclose(list(count.values()), 1000, atol=5 * 31)
    np.testing.assert_array_equal(np.sort(draw_subsets(rng, 4, 4, 2), axis=1), [range(4)] * 2)


def test_blocks_come_back_in_order_and_no_more_are_drawn_than_run():
    drawn, seen = [], []

    def blocks():
        for i in range(40):
            drawn.append(i)
            yield i

    for result in examples.in_order(lambda i: i * i, blocks()):
        seen.append(result)
        assert len(drawn) <= len(seen) + examples.LARGEST_CREW
    assert seen == [i * i for i in range(40)]


def test_an_error_in_a_block_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(examples.in_order(lambda i: 1 // i, iter([1, 0, 1])))


def test_a_block_shrinks_where_memory_would_run_out(monkeypatch):
    network = rotation_network(KEY, **SIZES)
    assert examples.examples_per_block(network) == examples.LARGEST_BLOCK
    monkeypatch.setattr(examples, "BLOCK_BYTES", 200_000)
    size = examples.examples_per_block(network)
    assert 1 <= size < examples.LARGEST_BLOCK
    blocks = list(draw_blocks(KEY, network, active_rotations, 2, 100))
    assert [len(b.active) for b in blocks][:-1] == [size] * (len(blocks) - 1)


def test_old_style_keys_are_as_good():
    old = generator(jax.random.PRNGKey(3), 1).random(4)
    np.testing.assert_array_equal(old, generator(jax.random.key(3), 1).random(4))
    assert np.any(old != generator(jax.random.key(3), 2).random(4))
