"""A sweep that studies another sweep's models: `[models]`, and a task that takes `trained`."""

import jax
import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_table

from sweeps import estimate, parse, read_toml, restore, run_sweep
from sweeps.folder import RunFolder
from sweeps.plan import make_programs
from sweeps.run import load
from sweeps.store import open_dataset
from sweeps.work import layout, train
from toymodels.errors import InputError

# A linear reader of a linear code: its optimum is `scale` times the W of the model it studies.
FIRST = make_table(grid={"p_active": [0.3, 0.9], "seed": {"range": 2}})
del FIRST["name"]
TABLE = {
    "name": "readers",
    "task": "mine:HiddenOf",
    "model": "mine:Reader",
    "n_features": 3,
    "n_hidden": 2,
    "steps": 300,
    "learning_rate": 0.1,
    "batch_size": 64,
    "evaluation_size": 64,
    "grid": {"scale": [1.0, 2.0], "seed": {"range": 2}},
    "models": FIRST,
}
MINE = """
name = "mine"
model = "relu"
n_features = 5
n_hidden = 2
[grid]
p_active = [0.1, 1.0]
"""
OUTER = ("model_p_active", "model_seed", "scale", "seed")


@pytest.fixture(scope="module", autouse=True)
def narrow():
    """Readers in two blocks of one shape."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CPU_BLOCK", 8)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out, ear = tmp_path_factory.mktemp("readers"), Ear()
    run_sweep(TABLE, out=out, report=ear)
    assert [heard[0] for heard in ear.heard] == [4, 16]
    return out


@pytest.fixture(scope="module")
def readers(folder):
    return open_dataset(folder / "readers.nc")


@pytest.fixture(scope="module")
def first(folder):
    (path,) = (folder / "runs").glob("readers.models-*/result.nc")
    return open_dataset(path)


def test_axes_of_the_models_come_first_and_their_seed_has_a_name_of_its_own(readers):
    assert readers.loss.dims == OUTER
    assert readers.A.dims == (*OUTER, "neuron", "feature")
    assert readers.loss_per_neuron.dims == (*OUTER, "neuron")
    np.testing.assert_array_equal(readers.model_seed, [0, 1])
    np.testing.assert_array_equal(readers.model_p_active, [0.3, 0.9])
    assert (readers["task"].item(), readers.steps.item()) == ("mine:HiddenOf", 300)


def test_each_cell_studies_its_own_model(readers, first):
    """Every reader ends at the weights of the model that its axes name, and at no other's."""
    W = first.W.rename(seed="model_seed", p_active="model_p_active", hidden="neuron")
    wanted = (readers.scale * W).transpose(*OUTER[:3], ...)
    for seed in (0, 1):
        found = readers.A.sel(seed=seed)
        np.testing.assert_allclose(found, wanted, atol=0.02)
    spread = np.abs(W.values.reshape(4, -1)[:, None] - W.values.reshape(4, -1)).max(-1)
    assert np.all(spread[~np.eye(4, dtype=bool)] > 0.2)
    assert np.all(readers.loss < 1e-3)


def test_the_first_stage_is_a_sweep_like_any_other(first):
    _, model = restore(first, p_active=0.3, seed=1)
    np.testing.assert_array_equal(model.W, first.W.sel(p_active=0.3, seed=1))
    xr.testing.assert_equal(run_sweep(FIRST | {"name": "alone"}), first)


def test_a_second_call_reads_and_in_memory_is_the_same(folder, readers):
    ear = Ear()
    xr.testing.assert_identical(run_sweep(TABLE, out=folder, report=ear), readers)
    assert ear.heard == []
    xr.testing.assert_equal(run_sweep(TABLE), readers)


def test_a_second_stage_that_was_stopped_resumes_without_training_the_first_again(
    tmp_path, monkeypatch, readers
):
    save = RunFolder.save_block

    def save_and_stop(self, i, arrays):
        if i == 1 and ".models-" not in self.path.name:
            raise KeyboardInterrupt
        save(self, i, arrays)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save_block", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(TABLE, out=tmp_path)
    assert len(list(tmp_path.glob("runs/readers.models-*/result.nc"))) == 1
    assert not (tmp_path / "readers.nc").exists()
    trained, real = [], train.run_block
    monkeypatch.setattr(
        train, "run_block", lambda block, *a: trained.append(block.n_models) or real(block, *a)
    )
    resumed = run_sweep(TABLE, out=tmp_path)
    assert trained == [8]  # one of the two blocks of the second stage
    xr.testing.assert_equal(resumed, readers)


def test_its_folder_is_named_by_both_stages(monkeypatch):
    before = parse(TABLE).hash()
    others = [
        {"models": FIRST | {"steps": 21}},
        {"models": FIRST | {"grid": {"p_active": [0.3, 0.8], "seed": {"range": 2}}}},
        {"steps": 301},
        {"seed": 1},
    ]
    assert len({before, *(parse(TABLE | change).hash() for change in others)}) == 5
    assert parse(TABLE | {"models": FIRST | {"learning_rate": 0.01}}).hash() == before


def test_the_time_of_both_stages_is_told():
    both, alone = estimate(parse(TABLE)), estimate(parse(FIRST | {"name": "alone"}))
    assert (both.models, both.programs, both.blocks) == (20, 2, 3)
    assert (alone.models, alone.programs) == (4, 1)


@pytest.mark.parametrize(
    "models",
    [
        {"model": "relu", "n_features": 3, "n_hidden": 2, "optimizer": "newton"},
        FIRST,
    ],
    ids=["solved", "trained"],
)
def test_models_of_any_kind_of_work_can_be_studied(models):
    config = parse(TABLE | {"models": models})
    run = config.build({"models.features.p_active": 0.3, "scale": 2.0}).run
    x, target = run.task.sample(jax.random.key(0))
    assert (x.shape, target.shape) == ((3,), (2,))


def test_a_root_reaches_both_stages():
    assert parse(TABLE | {"seed": 3}).models.seed == 3


def test_what_cannot_be_studied_is_refused(readers):
    with pytest.raises(InputError, match=r"open_dataset\('DIR/runs/readers.models-"):
        restore(readers, model_p_active=0.3, model_seed=0, scale=1.0, seed=0)
    plain = {k: v for k, v in TABLE.items() if k != "task"} | {"model": "relu"}
    with pytest.raises(InputError, match=r"\[models\] has no effect"):
        parse(plain | {"grid": {"seed": [0]}})


def test_another_sweeps_file_lies_beside_the_one_that_names_it(tmp_path):
    table = 'name = "own"\ntask = "hidden_of"\nmodel = "sparse_autoencoder"\nn_latents = 3\n'
    for name, other in (("own", "mine"), ("self", "self")):
        (tmp_path / f"{name}.toml").write_text(f'{table}models = "{other}.toml"\n')
    (tmp_path / "mine.toml").write_text(MINE)
    config = parse(read_toml(tmp_path / "own.toml"), ["models.steps=7"])
    mine = parse(read_toml(tmp_path / "mine.toml"))
    assert (config.models.run["steps"], "steps" in mine.run) == (7, False)
    assert config.models.grid == mine.grid
    with pytest.raises(InputError, match="own models"):
        parse(read_toml(tmp_path / "self.toml"))


def test_a_cell_is_a_model_again_with_the_one_that_it_studied(readers, first):
    run, model = restore(readers, first, model_p_active=0.9, model_seed=1, scale=2.0, seed=0)
    stored = readers.sel(model_p_active=0.9, model_seed=1, scale=2.0, seed=0)
    np.testing.assert_array_equal(model.A, stored.A)
    W = first.W.sel(p_active=0.9, seed=1)
    np.testing.assert_array_equal(run.task.trained.model.W, W)


def test_a_module_of_your_own_may_lie_beside_the_file_that_names_it(tmp_path):
    (tmp_path / "beside_the_file.py").write_text("from mine import L2 as Mine\n")
    (tmp_path / "mine.toml").write_text(f'{MINE}penalties."beside_the_file:Mine".weight = [0.1]\n')
    config = load(tmp_path / "mine.toml")
    assert config.variants[0]["penalties"] == {"beside_the_file:Mine": {"weight": 0.1}}


def test_models_that_are_not_there_yet_are_one_model_however_many_cells():
    """A dry run of a few thousand wide models would not fit the memory."""
    models = FIRST | {"n_features": 40, "n_hidden": 10}
    config = parse(TABLE | {"n_features": 40, "n_hidden": 10, "models": models})
    (program,) = make_programs(config.grid, config.build)
    W = program.run.task.trained.model.W
    assert W.shape == (8, 10, 40)
    assert W.distinct.shape == (1, 10, 40)
