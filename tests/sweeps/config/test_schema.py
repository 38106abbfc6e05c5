import dataclasses
import json

import jax
import numpy as np
import pytest
from sweeps.named import FUNCTIONS, LAWS, law_values
from sweeps.solving import SolveSpec

from sweeps.config import (
    ESTIMATORS,
    MODELS,
    SCHEDULES,
    VALUE_LAWS,
    FeaturesConfig,
    RunConfig,
    config_from_json,
    run_config,
)
from sweeps.config.parse import parse
from toymodels import models, optimizers
from toymodels.errors import InputError
from toymodels.features import Independent, OneActive
from toymodels.models import Init, xavier_scale
from toymodels.tasks import Reconstruction
from toymodels.training import TrainSpec

NEWTON = {"optimizer": "newton", "estimator": "exact"}
BASE = {"model": "relu", "n_features": 5, "n_hidden": 2}


def names(record):
    return {f.name for f in dataclasses.fields(record)}


def test_every_field_of_the_records_has_a_key_and_every_key_a_field():
    keys = names(RunConfig)
    assert names(TrainSpec) <= keys
    derived = {"draws"}  # chosen from p_active
    renamed = {"law": "values"}
    in_features = {renamed.get(n, n) for n in names(Independent) - derived}
    assert in_features | {"kind"} == names(FeaturesConfig)
    assert names(Reconstruction) <= keys
    in_init = {"scale": "init_scale"}
    assert {in_init.get(n, n) for n in names(Init)} <= keys
    used = names(TrainSpec) | names(Reconstruction) | {in_init.get(n, n) for n in names(Init)}
    assert keys - used == {"momentum", "estimator", "n_starts"}
    assert names(optimizers.SGD) == {"momentum"}
    assert names(SolveSpec) - {"evaluation_size"} == {"n_starts"}


def test_every_name_a_config_may_use_has_its_meaning():
    hints = {f.name: f.type for f in dataclasses.fields(RunConfig)}
    assert set(hints["model"].__args__) == set(MODELS)
    assert set(hints["schedule"].__args__) == set(SCHEDULES)
    assert set(hints["estimator"].__args__) == set(ESTIMATORS)
    values = {f.name: f.type for f in dataclasses.fields(FeaturesConfig)}["values"]
    assert set(values.__args__) == set(VALUE_LAWS)


def test_built_run_holds_the_numbers_of_the_config():
    given = BASE | {
        "features": {"p_active": [0.1, 0.2, 0.3, 0.4, 0.5], "values": "signed_uniform"},
        "importance": {"law": "geometric", "ratio": 0.7},
        "init_scale": 0.25,
        "steps": 30,
        "batch_size": 16,
        "optimizer": "adamw",
        "learning_rate": 0.003,
        "weight_decay": 0.01,
        "schedule": "linear",
        "snapshots": [30, 0, 10, 10],
        "evaluation_size": 100,
    }
    run = run_config(given).build()
    np.testing.assert_allclose(run.task.features.p_active, given["features"]["p_active"])
    assert run.task.features.law == VALUE_LAWS["signed_uniform"]
    np.testing.assert_allclose(run.task.importance, 0.7 ** np.arange(5), rtol=1e-6)
    assert run.init == Init(np.float32(0.25), models.ReluAutoencoder, n_features=5, n_hidden=2)
    expected = TrainSpec(
        learning_rate=np.float32(0.003),
        weight_decay=np.float32(0.01),
        steps=30,
        batch_size=16,
        optimizer=optimizers.AdamW(),
        schedule=optimizers.Linear(),
        snapshots=(0, 10, 30),
        evaluation_size=100,
    )
    assert run.spec == expected


def test_defaults_are_xavier_importance_one_and_no_weight_decay():
    run = run_config(BASE).build()
    assert float(run.init.scale) == pytest.approx(xavier_scale(5, 2))
    np.testing.assert_array_equal(run.task.importance, np.ones(5))
    np.testing.assert_array_equal(run.task.features.p_active, np.ones(5))
    assert run.spec.weight_decay == 0
    assert run.spec.optimizer == optimizers.Adam()


def test_one_active_is_a_kind_of_features():
    given = {"kind": "one_active", "values": "signed_uniform"}
    run = run_config(BASE | {"features": given}).build()
    assert run.task.features == OneActive(5, VALUE_LAWS["signed_uniform"])


def test_equal_configs_build_equal_programs():
    one, two = (run_config(BASE | {"steps": 10}).build() for _ in range(2))
    assert jax.tree.structure(one) == jax.tree.structure(two)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (0.3, 0.3),
        ([1, 2, 3], [1, 2, 3]),
        ({"law": "geometric", "ratio": 0.5}, [1, 0.5, 0.25]),
        ({"ratio": 0.5}, [1, 0.5, 0.25]),
        ({"relative": 0.1}, [1, 1, 0.1]),
        ({"last": 0.01}, [1, 0.1, 0.01]),
        ({"value": 2}, [2, 2, 2]),
        ({"law": "log_spaced", "last": 0.25, "first": 4.0}, [4, 1, 0.25]),
    ],
)
def test_a_law_may_be_named_or_told_by_its_parameters(given, values):
    np.testing.assert_allclose(law_values(given, 3, "importance"), values, rtol=1e-12)


def test_a_law_that_falls_below_the_smallest_float_gives_zero():
    assert law_values({"ratio": 0.01}, 400, "importance")[-1] == 0
    build = run_config(BASE | {"n_features": 400, "importance": {"ratio": 0.01}}).build
    assert build().task.importance[-1] == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"law": "geometrc", "ratio": 0.5}, "geometric"),
        ({"ratioo": 0.5}, "importance"),
        ({"law": "geometric"}, "needs ratio"),
        ({"law": "constant", "ratio": 0.5}, "importance.ratio"),
        ({"law": "geometric", "ratio": "x"}, "importance.ratio = 'x'"),
        ({"law": "geometric", "ratio": float("nan")}, "importance.ratio = nan"),
        ({"law": "log_spaced", "last": 0.0}, "importance = "),
        ({"law": "geometric", "ratio": 1e200}, "importance = "),
    ],
)
def test_a_law_that_means_nothing_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        law_values(given, 5, "importance")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"optimizer": "adam", "momentum": 0.9}, "momentum = 0.9"),
        ({"optimizer": "newton"}, "estimator = 'exact', got 'sampled'"),
        ({"optimizer": "newton", "model": "linear"}, "model = 'relu', got 'linear'"),
        (NEWTON | {"steps": 7}, "steps = 7 means nothing"),
        ({"n_starts": 9}, "n_starts = 9 means nothing"),
        (NEWTON | {"n_features": 7}, "n_features"),
        (NEWTON | {"n_hidden": 5}, "n_hidden = 5"),
        ({"steps": 10, "snapshots": [5, 11]}, r"snapshots = \[11\]"),
        ({"importance": [1.0, -1.0, 1, 1, 1]}, "importance = "),
        ({"importance": {"ratio": -0.5}}, "importance = "),
        ({"features": {"p_active": 1.5}}, "p_active = 1.5"),
        ({"features": {"p_active": [0.1, 0.2]}}, "p_active"),
        ({"features": {"kind": "one_active", "p_active": 0.5}}, "p_active = 0.5 means nothing"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, told):
    with pytest.raises(InputError, match=told):
        run_config(BASE | change).build()


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("product", (2, 3, 0.5), 3.0),
        ("ratio", (1, 4), 0.25),
        ("reciprocal", (4,), 0.25),
        ("one_minus", (0.25,), 0.75),
        ("inverse_square_root", (4,), 0.5),
        ("round", (2.6,), 3),
    ],
)
def test_functions_of_axes(name, arguments, value):
    assert FUNCTIONS[name](*arguments) == value


@pytest.mark.parametrize(
    ("function", "values"),
    [("reciprocal", [0.0]), ("inverse_square_root", [-1.0]), ("ratio", [1.0]), ("product", ["a"])],
)
def test_a_derived_value_that_does_not_exist_is_refused(function, values):
    table = BASE | {"name": "x", "grid": {"helper": values}}
    table["derive"] = {"learning_rate": {"function": function, "of": ["helper"]}}
    with pytest.raises(InputError, match="learning_rate"):
        parse(table)


def test_a_sweep_is_the_same_after_json():
    table = BASE | {"name": "x", "grid": {"p_active": [0.1, 1], "init_scale": ["xavier", 0.5]}}
    table["zip"] = {"size": {"steps": [10, 20], "batch_size": [8, 8]}}
    table["derive"] = {"learning_rate": {"function": "reciprocal", "of": ["steps"]}}
    config = parse(table)
    again = config_from_json(config.as_json())
    assert again.as_json() == config.as_json()
    assert again.hash() == config.hash()
    assert json.loads(config.as_json())["run"]["model"] == "relu"
    for point in config.grid.points():
        assert config.cell(point) == again.cell(point)
        assert config.cell(point).learning_rate == 1 / point["steps"]


def test_hash_changes_with_what_changes_numbers():
    def hash_of(**more):
        return parse(BASE | {"name": "x", "grid": {"seed": [0, 1]}} | more).hash()

    assert hash_of() == hash_of(description="words")
    others = [{"steps": 3}, {"seed": 5}, {"grid": {"seed": [0, 2]}}, {"n_hidden": 3}]
    assert len({hash_of(**more) for more in [{}, *others]}) == 5


LAWS_TESTED = {"constant", "geometric", "log_spaced", "relative"}


def test_no_law_was_forgotten_here():
    assert set(LAWS) == LAWS_TESTED
