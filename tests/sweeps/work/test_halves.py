"""What training goes on from is what was kept, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweeps.sealed import load_arrays, save_arrays
from sweeps.work.halves import (
    FIRST_PIECE,
    SECONDS_OF_A_PIECE,
    Half,
    arrays_of,
    half_from,
    next_piece,
)
from toymodels.training import TrainState


def state_of(x):
    memory = {"mean": jnp.float32(x) / 3, "count": jnp.full((2,), 7, jnp.int32)}
    return TrainState({"W": jnp.full((2, 3), x, jnp.bfloat16), "on": jnp.array(True)}, memory)


def test_a_half_comes_back_from_a_file_as_it_was(tmp_path):
    states = [state_of(x) for x in (0.0, 0.1, 0.7)]
    half = Half(states[1], 150, [jnp.ones((1, 2)), jnp.zeros((1, 2))], {0: states[2].model})
    save_arrays(tmp_path / "half", arrays_of(half))
    first = Half(states[0], 0, [], {0: states[0].model})
    again = half_from(load_arrays(tmp_path / "half"), first)
    assert again.step == 150
    jax.tree.map(np.testing.assert_array_equal, again, half)
    assert [a.dtype for a in jax.tree.leaves(again[:1])] == [
        a.dtype for a in jax.tree.leaves(half[:1])
    ]
    assert half_from({}, first) is first


@pytest.mark.parametrize("seconds_of_a_step", [1e-4, 0.05, 0.3, 30.0])
def test_pieces_come_to_take_some_seconds_and_one_step_at_least(seconds_of_a_step):
    n = FIRST_PIECE
    for _ in range(30):
        n = next_piece(n, n * seconds_of_a_step)
    assert n >= 1
    assert n == 1 or SECONDS_OF_A_PIECE / 4 <= n * seconds_of_a_step <= SECONDS_OF_A_PIECE
