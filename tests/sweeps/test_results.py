import jax
import numpy as np
import pytest
from builders import make_table

from sweeps import export_npz, restore, run_sweep, select
from sweeps.results import diverged_cells
from sweeps.store import open_dataset
from toymodels import geometry
from toymodels.errors import InputError
from toymodels.training import evaluate


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    """A zip over sizes, with densities, snapshots and one learning rate that diverges."""
    table = make_table(
        grid={"p_active": [0.1, 1.0], "learning_rate": [0.01, 1e6]},
        zip={"size": {"n_features": [2, 4], "n_hidden": [1, 1], "init_scale": ["xavier", 0.25]}},
        snapshots=[0, 10],
        importance={"ratio": 0.5},
        seed=3,
    )
    out = tmp_path_factory.mktemp("sizes")
    run_sweep(table, out=out)
    return open_dataset(out / "tiny.nc")


def test_names_and_dimensions_are_those_of_the_design(sizes):
    grid = ("p_active", "learning_rate", "size")
    assert sizes.W.dims == (*grid, "hidden", "feature")
    assert sizes.b.dims == sizes.loss_per_feature.dims == sizes.norm.dims == (*grid, "feature")
    assert sizes.superposition.dims == sizes.feature_dimensionality.dims == (*grid, "feature")
    assert sizes.loss.dims == sizes.dimensions_per_feature.dims == sizes.diverged.dims == grid
    assert sizes.loss_curve.dims == (*grid, "step")
    assert sizes.W_at_step_10.dims == sizes.W.dims
    assert sizes.n_features.dims == sizes.n_hidden.dims == ("size",)
    np.testing.assert_array_equal(sizes.step, [10, 20])
    np.testing.assert_array_equal(sizes.diverged.attrs["flag_values"], [0, 1])
    assert sizes.diverged.attrs["flag_meanings"] == "finite diverged"


def test_smaller_cells_are_padded_with_nan(sizes):
    small, large = sizes.isel(size=0, learning_rate=0), sizes.isel(size=1, learning_rate=0)
    for name in ("W", "b", "norm", "loss_per_feature", "W_at_step_0"):
        assert np.isnan(small[name].values[..., 2:]).all()
        assert np.isfinite(small[name].values[..., :2]).all()
        assert np.isfinite(large[name]).all()
    np.testing.assert_allclose(small.loss, small.loss_per_feature.sum("feature"), rtol=1e-6)


def test_geometry_is_that_of_the_weights(sizes):
    cell = sizes.isel(size=1, learning_rate=0, p_active=1)
    for name in ("superposition", "feature_dimensionality", "dimensions_per_feature"):
        np.testing.assert_allclose(cell[name], getattr(geometry, name)(cell.W.values), rtol=1e-5)
    np.testing.assert_allclose(cell.norm, np.linalg.norm(cell.W, axis=0), rtol=1e-5)


@pytest.mark.parametrize(("n_features", "p"), [(2, 0.1), (4, 1.0)])
def test_a_stored_cell_is_a_model_again_with_the_loss_that_is_stored(sizes, n_features, p):
    at = {"p_active": p, "n_features": n_features, "learning_rate": 0.01}
    run, model = restore(sizes, **at)
    assert model.W.shape == (1, n_features)
    np.testing.assert_allclose(run.task.importance, 0.5 ** np.arange(n_features))
    found, stored = jax.jit(evaluate)(run, model), select(sizes, **at)
    np.testing.assert_allclose(found.loss, stored.loss, rtol=1e-6)
    np.testing.assert_allclose(found.loss_ranking, stored.loss_ranking, rtol=1e-6)


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
