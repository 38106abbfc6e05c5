"""Errors of trained networks of circuits: those of the construction are what a simulation says."""

import jax
import numpy as np
import pytest

from toymodels.circuits import transversal
from toymodels.circuits.simulation import simulate_network
from toymodels.errors import InputError
from toymodels.measures.circuit_errors import CircuitErrors
from toymodels.models import ReluAutoencoder
from toymodels.models.circuit_start import RotationNetwork, StepNetwork
from toymodels.tasks.circuits import RotationTask, StepTask
from toymodels.training import Run, TrainSpec

KEY = jax.random.key(3)
SIZES = {"n_circuits": 25, "n_layers": 3}


def start(**changes):
    how = {"width": 60, "redundancy": 3, "room": 30, "assignment": transversal}
    return RotationNetwork.start(**SIZES | how | changes)


def test_errors_of_the_construction_are_those_of_its_simulation():
    begun, task = start(), RotationTask.create(**SIZES, room=30)
    run = Run(task, begun, TrainSpec.create())
    found = CircuitErrors.create([1, 2], n_examples=20_000)(run, begun.draw(KEY), KEY)
    for i, z in enumerate((1, 2)):
        true = simulate_network(KEY, begun.network(KEY), n_active=z, n_samples=20_000)
        of = ("x_active", "x_inactive", "on_active", "on_inactive")
        for name in (*(f"mse_{o}" for o in of), "dropped", "spurious"):
            measured = found[f"{name}_tested"].values[i]
            np.testing.assert_allclose(measured, getattr(true, name)[1:], rtol=0.06, atol=2e-4)
    each = found["mse_of_circuit"].values
    assert np.isnan(each[:, 25:]).all()
    np.testing.assert_allclose(
        each[:, :25].mean(axis=1), found["mse_x_active_tested"].values[:, -1], rtol=0.03
    )


def test_longer_chains_are_of_tied_layers():
    begun, task = start(layer_weights="tied"), RotationTask.create(**SIZES, room=30)
    run, model = Run(task, begun, TrainSpec.create()), begun.draw(KEY)
    long, own = (CircuitErrors.create([1], n, 500)(run, model, KEY) for n in (5, 0))
    name = "mse_x_active_tested"
    assert long[name].values.shape == (1, 5)
    np.testing.assert_allclose(long[name].values[:, :3], own[name].values, rtol=1e-5)


def test_more_active_circuits_than_there_are_have_no_errors():
    """Sizes are those above, so nothing is compiled again."""
    task = RotationTask.create(n_circuits=1, n_layers=3, room=30)
    run = Run(task, start(), TrainSpec.create())
    found = CircuitErrors.create([1, 2], n_examples=20_000)(run, start().draw(KEY), KEY)
    assert found["n_active_tested"].values.tolist() == [1, 2]
    for name in ("mse_on_active_tested", "mse_x_active_tested", "dropped_tested"):
        assert np.isnan(found[name].values).all(axis=1).tolist() == [False, True]
    assert np.isnan(found["mse_of_circuit"].values[1]).all()


def measured_steps(change):
    begun = StepNetwork.start(n_circuits=4, width=24, redundancy=2, n_layers=2)
    run = Run(StepTask.create(n_circuits=4, n_layers=2), begun, TrainSpec.create())
    return CircuitErrors.create([1], n_examples=50)(run, change(begun.draw(KEY)), KEY)


def test_step_circuits_have_no_x_and_are_told_by_their_indicator():
    """A dead network misses each of them by 1."""
    found = measured_steps(lambda model: model.replace(U=0 * model.U))
    np.testing.assert_array_equal(found["mse_of_circuit"].values, 1)
    assert "indicator" in found["mse_of_circuit"].words
    for name in ("mse_x_active_tested", "mse_x_inactive_tested"):
        assert np.isnan(found[name].values).all()
    assert np.isfinite(found["mse_on_active_tested"].values).all()


def test_a_model_that_has_diverged_has_no_errors():
    found = measured_steps(lambda model: model.replace(b=model.b * np.nan))
    assert all(np.isnan(of.values).all() for n, of in found.items() if n != "n_active_tested")


def test_other_models_and_no_active_circuit_are_refused():
    task = RotationTask.create(n_circuits=4)
    model = ReluAutoencoder.start(4, 2)(KEY)
    with pytest.raises(InputError, match="needs a network of circuits"):
        CircuitErrors.create()(Run(task, None, TrainSpec.create()), model, KEY)
    with pytest.raises(InputError, match="n_active = 0"):
        CircuitErrors.create([])
