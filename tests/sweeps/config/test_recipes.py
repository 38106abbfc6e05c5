"""A recipe gives the keys of training that are not given beside it."""

from math import sqrt

import pytest
from builders import make_table

from sweeps.config.parse import parse
from sweeps.config.sweep import config_from_json
from sweeps.config.written import as_toml
from toymodels.errors import InputError

SIZES = {"name": "x", "model": "relu", "n_features": 200, "n_hidden": 20}
GRID = {"p_active": [1.0, 0.5, 0.25], "seed": {"range": 4}}
BARE = {**SIZES, "grid": GRID}


def run_of(config):
    first = next(config.grid.points())
    first.pop("seed", None)
    return config.build(first).run


def std(n_instances, n_features=200, n_hidden=20):
    return pytest.approx(sqrt(2 / (n_hidden * (n_features + n_instances))))


def test_the_notebooks_recipe_is_adamw_at_a_constant_rate_and_xavier_over_the_whole_tensor():
    run = run_of(parse(BARE | {"recipe": "notebook"}))
    assert type(run.spec.optimizer).__name__ == "AdamW"
    assert type(run.spec.schedule).__name__ == "Constant"
    assert (run.spec.steps, run.spec.batch_size) == (10_000, 1024)
    assert float(run.spec.learning_rate) == pytest.approx(1e-3)
    assert float(run.spec.weight_decay) == pytest.approx(0.01)
    assert float(run.init.scale) == std(3)  # three densities; seeds are no instances
    twenty = parse(BARE | {"recipe": "notebook", "n_instances": 20})
    assert float(run_of(twenty).init.scale) == pytest.approx(0.0213, abs=1e-4)  # as measured there


def test_keys_and_axes_beside_a_recipe_win_over_it():
    run = run_of(parse(BARE | {"recipe": "notebook", "steps": 7, "init_scale": 0.5}))
    assert (run.spec.steps, run.spec.batch_size, float(run.init.scale)) == (7, 1024, 0.5)
    config = parse(BARE | {"recipe": "notebook", "grid": GRID | {"batch_size": [8, 16]}})
    assert [run_of(config).spec.batch_size, float(run_of(config).init.scale)] == [8, std(6)]


def test_a_recipe_given_as_an_override_wins_over_the_file_and_others_over_it():
    file = BARE | {"steps": 5, "learning_rate": 0.1, "estimator": "control_variate"}
    run = run_of(parse(file, ["recipe=notebook", "learning_rate=.2", "grid.p_active=[1.0]"]))
    assert (run.spec.steps, run.estimator.name) == (10_000, "sampled")
    assert float(run.spec.learning_rate) == pytest.approx(0.2)
    assert float(run.init.scale) == std(1)


def test_a_recipe_is_the_same_sweep_as_its_keys_written_out():
    short = parse(BARE | {"recipe": "notebook"})
    keys = {k: v for k, v in short.run.items() if k not in SIZES}
    assert parse(BARE | keys).hash() == short.hash()


def test_a_stored_and_a_written_config_tell_of_the_recipe():
    config = parse(BARE | {"recipe": "notebook"})
    again = config_from_json(config.as_json())
    assert again.recipe == config.recipe
    assert again.hash() == config.hash()
    written = as_toml(config)
    assert 'recipe = "notebook"' in written
    assert "n_instances = 3" in written


def test_a_model_that_has_no_scale_of_its_own_is_left_alone():
    table = make_table(recipe="notebook", model="linear") | {"steps": 3}
    assert parse(table).run["init_scale"] > 0
    models = {k: v for k, v in make_table().items() if k != "name"}
    more = {"model": "continued", "models": models, "n_features": 3}
    assert "init_scale" not in parse({"name": "y", "recipe": "notebook"} | more).run


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"recipe": "notbook"}, "recipe = 'notbook': no such recipe. Did you mean 'notebook'"),
        ({"recipe": 3}, "recipe = 3: no such recipe"),
        ({"n_instances": 20}, "n_instances = 20 belongs to a recipe.*seed"),
        ({"recipe": "notebook", "n_instances": 0}, "n_instances = 0: give the number"),
        ({"recipe": "notebook", "n_instances": True}, "n_instances = True: give the number"),
        ({"recipe": "notebook", "optimizer": "newton"}, "nothing is trained here"),
        ({"recipe": "notebook", "grid": {"n_hidden": [1, 2]}}, "depends on n_hidden.*init_scale"),
    ],
)
def test_what_a_recipe_cannot_be_is_refused(changes, told):
    with pytest.raises(InputError, match=told):
        parse(BARE | changes)
