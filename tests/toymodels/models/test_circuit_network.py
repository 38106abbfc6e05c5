"""Networks of circuits that are trained: they start as the construction and keep what is fixed."""

import jax
import numpy as np
import pytest

from sweeps import run_sweep
from toymodels.circuits import transversal
from toymodels.circuits.base import Inputs
from toymodels.circuits.forward import plan, run_layers
from toymodels.circuits.small_circuits import rotation_states
from toymodels.errors import InputError
from toymodels.models.circuit_start import RotationNetwork, StepNetwork
from toymodels.tasks.circuits import RotationTask, StepTask
from toymodels.training import Run, TrainSpec, step, with_optimizer

SIZES = {"n_circuits": 9, "width": 48, "n_layers": 3, "redundancy": 3}
KEY = jax.random.key(5)


def start(**changes):
    return RotationNetwork.start(**SIZES | {"assignment": transversal} | changes)


def values_of(active, x, room):
    """What the task gives: (α, x) of the active circuits, `[3 R, B]`."""
    found = np.zeros((3, room, len(active)), np.float32)
    for i, circuits in enumerate(active):
        found[0, circuits, i] = 1
        found[1:, circuits, i] = x[i].T
    return found.reshape(-1, len(active))


@pytest.mark.parametrize("tied", ["own", "tied"])
def test_it_starts_as_the_network_that_is_simulated(tied):
    """The same values are read out as by the index lists, in arrays with room for more circuits."""
    begun = start(room=12, layer_weights=tied)
    model, rng = begun.draw(KEY), np.random.default_rng(0)
    active = np.stack([rng.permutation(9)[:2] for _ in range(20)])
    x = rng.normal(size=(20, 2, 2)).astype(np.float32)
    inputs = Inputs(active, rotation_states(x))
    *_, last = run_layers(plan(begun.network(KEY)), inputs)
    read = np.asarray(model(values_of(active, x, 12))).reshape(3, 12, 20)
    np.testing.assert_allclose(read[:, :9], np.moveaxis(last.values, 0, 1), atol=2e-5)
    assert not read[:, 9:].any()


def test_a_network_of_steps_starts_as_indicators():
    begun = StepNetwork.start(n_circuits=6, width=24, redundancy=2, n_layers=2)
    model = begun.draw(KEY)
    np.testing.assert_allclose(np.diag(model(np.eye(6, dtype=np.float32))), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("trainable", "changes"),
    [("all", {"W", "b"}), ("links", {"W", "b"}), ("scalars", {"inhibition", "bias_scale"})],
)
def test_training_changes_what_is_trainable_alone(trainable, changes):
    """Weight decay and all: fixed leaves and weights that are no link stay to the bit."""
    first = start(trainable=trainable, readout="trained").draw(KEY)
    spec = TrainSpec.create(weight_decay=0.1)
    run = Run(RotationTask.create(n_circuits=9), lambda key: first, spec)
    state = with_optimizer(run, first)
    trained = step(run, state, jax.random.uniform(KEY, (2, 8)), 0).model
    moved = {n for n in vars(first) if not np.array_equal(getattr(first, n), getattr(trained, n))}
    assert changes | {"U"} <= moved <= changes | {"U", "link_scale"}
    if trainable == "links":
        off = np.asarray(first.links) == 0
        assert off.any()
        np.testing.assert_array_equal(trained.weights().W[off], first.weights().W[off])


def test_tied_layers_make_longer_chains_and_own_ones_do_not():
    tied = start(layer_weights="tied").draw(KEY)
    x = np.eye(27, dtype=np.float32)
    longer = tied.longer(6).activations(x)
    assert len(longer) == 6
    np.testing.assert_array_equal(longer[2], tied.activations(x)[-1])
    with pytest.raises(InputError, match="n_layers = 6: only tied"):
        start().draw(KEY).longer(6)


def test_a_random_embedding_is_the_same_in_any_room_and_as_large_as_the_construction():
    built = start().draw(KEY).E
    own, roomy = (start(embedding="random", room=room).draw(KEY).E for room in (0, 20))
    there = np.asarray(roomy).reshape(48, 3, 20)
    np.testing.assert_array_equal(there[..., :9].reshape(48, 27), own)
    assert not there[..., 9:].any()
    assert float(own.std()) == pytest.approx(float(built.std()), rel=0.1)


def test_the_read_out_has_a_scalar_of_its_own_where_layers_are_tied_too():
    tied = start(layer_weights="tied", trainable="scalars").draw(KEY)
    louder = tied.replace(link_scale=tied.link_scale.at[-1].set(2.0))
    x = np.eye(27, dtype=np.float32)
    np.testing.assert_array_equal(louder.weights().W, tied.weights().W)
    np.testing.assert_allclose(louder(x), 2 * tied(x), rtol=1e-6)


def test_a_bias_of_step_circuits_is_refused():
    with pytest.raises(InputError, match=r"bias = 0.5 is of rotation circuits"):
        StepNetwork.start(n_circuits=6, width=24, redundancy=2, bias=0.5)


def test_scalars_of_random_weights_are_refused():
    with pytest.raises(InputError, match='trainable = "scalars" keeps the links'):
        start(init="random", trainable="scalars")


@pytest.mark.claims
def test_cells_of_all_sizes_losses_and_starts_are_one_program_and_training_helps():
    table = {
        "name": "trained",
        "task": "rotations",
        "model": "rotations",
        "assignment": "transversal",
        "width": 64,
        "redundancy": 3,
        "room": 16,
        "room_active": 2,
        "steps": 300,
        "batch_size": 64,
        "evaluation_size": 1024,
        "measures": [],
        "learning_rate": 1e-3,
        "grid": {"n_circuits": [9, 16], "n_active": [1, 2], "class_balance": [0.5, 1.0]},
        "zip": {"start": {"init": ["construction", "random"], "exponent": [2.0, 4.0]}},
    }
    found = run_sweep(table)
    assert found.sizes["n_circuits"] == 2
    assert bool((found.loss_curve[..., -1] < found.loss_curve[..., 0]).all())


def test_step_tasks_and_their_networks_have_one_value_a_circuit():
    task = StepTask.create(n_circuits=5, n_active=2)
    given, wanted = task.from_uniforms(jax.random.uniform(jax.random.key(0), (4, 30)))
    np.testing.assert_array_equal(given, wanted)
    np.testing.assert_array_equal(np.sum(given, axis=0), 2)
