"""From a stored cell back to a model, and out to files that others read."""

import jax
import numpy as np
import pytest

from sweeps import export_npz, restore, select
from sweeps.remarks import diverged_cells
from toymodels.errors import InputError
from toymodels.training import evaluate


@pytest.mark.parametrize(("n_features", "p"), [(2, 0.1), (4, 1.0)])
def test_a_stored_cell_is_a_model_again_with_the_loss_that_is_stored(sizes, n_features, p):
    at = {"p_active": p, "n_features": n_features, "learning_rate": 0.01}
    run, model = restore(sizes, **at)
    assert model.W.shape == (1, n_features)
    np.testing.assert_allclose(run.task.importance, 0.5 ** np.arange(n_features))
    found, stored = jax.jit(evaluate)(run, model), select(sizes, **at)
    np.testing.assert_allclose(found.loss, stored.loss, rtol=1e-6)
    np.testing.assert_allclose(found.loss_ranking, stored.loss_ranking, rtol=1e-6)
    np.testing.assert_allclose(found.loss_per_output, stored.loss_per_feature[:n_features], 1e-5)


def test_export_is_readable_without_us(sizes, tmp_path):
    export_npz(sizes, tmp_path / "cell.npz", p_active=0.1, n_features=4, learning_rate=0.01)
    with np.load(tmp_path / "cell.npz") as file:
        cell = sizes.isel(size=1, learning_rate=0, p_active=0)
        np.testing.assert_array_equal(file["W"], cell.W)
        np.testing.assert_array_equal(file["b"], cell.b)
        np.testing.assert_allclose(file["importance"], [1, 0.5, 0.25, 0.125])
        assert '"p_active": 0.1' in str(file["config"])


def test_selection_takes_numbers_as_they_are_written(sizes):
    cell = select(sizes, p_active=np.float32(0.1), n_features=2, learning_rate=0.01)
    assert cell.loss.ndim == 0
    assert float(cell.p_active) == 0.1


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ({"p_activ": 0.1}, "no coordinate 'p_activ'; it has .*p_active"),
        ({"p_active": 0.2}, r"p_active = 0.2 is not in the grid: it has \[0.1, 1.0\]"),
        ({"p_active": "low"}, "p_active = 'low' is not in the grid"),
        ({"p_active": 0.1, "learning_rate": 0.01}, "also give size"),
        ({"p_active": 0.1, "learning_rate": 0.01, "n_hidden": 1}, "also give size"),
        ({"p_active": 0.1, "n_features": 2, "n_hidden": 5}, "n_hidden = 5 is not in the grid"),
    ],
)
def test_a_selection_that_is_not_one_cell_is_refused(sizes, at, told):
    with pytest.raises(InputError, match=told):
        select(sizes, **at)


def test_diverged_cells_are_named_by_their_coordinates(sizes):
    named = diverged_cells(sizes)
    assert len(named) == 4
    assert named[0] == "p_active = 0.1, learning_rate = 1e+06, size = 0"
    assert len(diverged_cells(sizes, at_most=1)) == 1


def test_a_result_without_a_config_says_why_it_cannot_be_restored(sizes):
    bare = sizes.copy()
    bare.attrs = {}
    with pytest.raises(InputError, match="no config"):
        restore(bare, p_active=0.1, n_features=4, learning_rate=0.01)


def test_a_number_among_names_is_restored_as_a_number(sizes):
    """`init_scale` is "xavier" for one size and 0.25 for the other."""
    run, _ = restore(sizes, p_active=0.1, learning_rate=0.01, init_scale=0.25)
    assert run.init.scale == np.float32(0.25)
    assert run.init.n_features == 4
    run, _ = restore(sizes, p_active=0.1, learning_rate=0.01, init_scale="xavier")
    assert run.init.scale == np.float32((2 / 3) ** 0.5)


def test_a_restored_run_is_the_one_that_was_trained(sizes):
    """Same task, start and spec: first weights are those of the snapshot at step 0."""
    from sweeps.identity import start_name
    from toymodels.streams import Stream, stream

    at = {"p_active": 0.1, "n_features": 4, "learning_rate": 0.01}
    run, _ = restore(sizes, **at)
    key = jax.random.fold_in(stream(0, Stream.INIT, root=3), start_name(run))
    first = select(sizes, **at).W_at_snapshot.sel(snapshot=0)
    np.testing.assert_allclose(run.init(key).W, first, rtol=1e-6)
    assert run.spec.steps == 20


def test_a_model_of_a_user_comes_back_as_their_class(magnitudes):
    at = {"p_nonzero": 0.5, "spread": 0.2, "seed": 1}
    (run, model), cell = restore(magnitudes, **at), magnitudes.sel(at)
    assert type(model).__name__ == "Named"
    np.testing.assert_array_equal(model.W, cell.W)
    assert float(model.inner["offset"]) == float(cell.inner_offset)
    loss = float(jax.jit(evaluate)(run, model).loss)
    assert loss == pytest.approx(float(cell.loss), rel=1e-2)  # nearly 0: rounding of |y - x²|


def test_a_result_with_a_config_takes_no_builder(sizes):
    at = {"p_active": 0.1, "n_features": 2, "learning_rate": 0.01}
    with pytest.raises(InputError, match="leave build out"):
        restore(sizes, build=lambda values: None, **at)
