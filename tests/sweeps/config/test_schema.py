"""From a table of keys to one cell: what is built, what is refused, and what a user may add."""

import jax
import numpy as np
import pytest
from builders import ROOT

from sweeps.config.registry import NAMES
from sweeps.config.schema import every_key, maker, resolve
from sweeps.config.sweep import SweepConfig
from sweeps.grid import Grid
from sweeps.work.solve import Newton, Problem
from toymodels import models, optimizers
from toymodels.errors import InputError
from toymodels.estimators import Fourier, Quadrature, Sampled
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.measures.columns import measure_geometry
from toymodels.models import Init, xavier_scale
from toymodels.training import Run, TrainSpec

BASE = {"model": "relu", "n_features": 5, "n_hidden": 2}
NEWTON = BASE | {"optimizer": "newton"}
CIRCUITS = {"circuits": "rotations", "n_circuits": 20, "width": 80, "redundancy": 3}


def cell_of(table):
    return SweepConfig("x", table, Grid(), {}).build({})


def run_of(**more):
    return cell_of(BASE | more).run


def test_built_run_holds_the_numbers_of_the_config():
    given = {
        "features": {"p_active": [0.1, 0.2, 0.3, 0.4, 0.5], "values": "signed_uniform"},
        "importance": {"law": "geometric", "ratio": 0.7},
        "init_scale": 0.25,
        "steps": 30,
        "batch_size": 16,
        "optimizer": "adamw",
        "b1": 0.8,
        "learning_rate": 0.003,
        "weight_decay": 0.01,
        "schedule": "linear",
        "snapshots": [30, 0, 10, 10],
        "evaluation_size": 100,
        "measures": ["geometry"],
        "frozen": ["b"],
    }
    run = run_of(**given)
    np.testing.assert_allclose(run.task.features.p_active, given["features"]["p_active"])
    assert run.task.features.distribution == SignedUniform()
    np.testing.assert_allclose(run.task.importance, 0.7 ** np.arange(5), rtol=1e-6)
    assert run.init == Init(np.float32(0.25), models.ReluAutoencoder, n_features=5, n_hidden=2)
    assert run.spec == TrainSpec(
        learning_rate=np.float32(0.003),
        weight_decay=np.float32(0.01),
        steps=30,
        batch_size=16,
        optimizer=optimizers.AdamW(b1=0.8),
        schedule=optimizers.Linear(),
        snapshots=(0, 10, 30),
        evaluation_size=100,
    )
    assert (run.measures, run.frozen, run.penalties) == ((measure_geometry,), ("b",), ())


def test_defaults_are_xavier_importance_one_and_no_weight_decay():
    run = run_of()
    assert isinstance(run, Run)
    assert float(run.init.scale) == pytest.approx(xavier_scale(5, 2))
    np.testing.assert_array_equal(run.task.importance, np.ones(5))
    np.testing.assert_array_equal(run.task.features.p_active, np.ones(5))
    assert run.spec.weight_decay == 0
    assert run.spec.optimizer == optimizers.Adam()
    assert run.estimator == Sampled()


def test_names_choose_what_is_built():
    one_active = {"kind": "one_active", "values": "signed_uniform"}
    assert run_of(features=one_active).task.features == OneActive(5, SignedUniform())
    assert run_of(estimator="fourier", terms=8).estimator == Fourier(8)
    assert run_of(estimator="exact").estimator == Quadrature()
    assert run_of(optimizer="sgd", momentum=0.9).spec.optimizer == optimizers.SGD(0.9)
    work, problem = cell_of(NEWTON | {"n_starts": 3, "estimator": "exact"})
    assert (work.name, problem.newton) == ("solve", Newton(3))
    assert isinstance(problem, Problem) and problem.n_hidden == 2
    work, simulation = cell_of(CIRCUITS)
    assert (work.name, simulation.network.width) == ("simulate", 80)


def test_equal_tables_build_equal_programs():
    one, two = (run_of(steps=10, measures=["geometry"]) for _ in range(2))
    assert jax.tree.structure(one) == jax.tree.structure(two)


@pytest.mark.parametrize("table", [BASE, NEWTON, CIRCUITS])
def test_resolved_keys_written_out_are_resolved_to_themselves(table):
    """All that a sweep stores says what it is without knowing a default."""
    first = resolve(table).resolved()
    assert resolve(first).resolved() == first
    assert set(table) <= set(first) | {"circuits"}
    assert resolve(table).name == {"newton": "solve"}.get(
        table.get("optimizer"), "simulate" if "circuits" in table else "train"
    )


def test_every_registered_name_can_be_made():
    """Nothing is named that is not there, and every maker has parameters that can be read."""
    from sweeps.config.registry import find
    from sweeps.config.signatures import parameters

    for key, names in NAMES.items():
        for name in names:
            parameters(maker(key, find(key, name)))
    assert {"steps", "momentum", "n_starts", "inhibition", "terms", "p_active"} <= set(every_key())


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        (BASE, {"momentum": 0.9}, 'momentum = 0.9 has no effect with .*"adam".*optimizer = "sgd"'),
        (BASE, {"n_starts": 9}, 'n_starts = 9 has no effect.*belongs to optimizer = "newton"'),
        (BASE, {"terms": 9}, 'terms = 9 has no effect.*belongs to estimator = "fourier"'),
        (BASE, {"inhibition": 2.0}, 'belongs to circuits: say circuits = "rotations"'),
        (BASE, {"assignment": "transversal"}, 'belongs to circuits: say circuits = "rotations"'),
        (BASE, {"values": "signed_uniform"}, "has no effect here: write features.values"),
        (BASE, {"features": {"importance": 2}}, "features.importance = 2 has no effect"),
        (BASE, {"kep": ["loss"]}, "unknown key 'kep'. Did you mean 'keep'"),
        (BASE, {"l1_hidden": 0.1}, "unknown key 'l1_hidden'. Write penalties.l1_hidden"),
        (
            BASE,
            {"features": {"kind": "correlated", "n_sets": 1}, "n_sets": 1},
            "n_sets = 1 has no effect here: write features.n_sets",
        ),
        (BASE, {"model": "continued"}, 'n_hidden.* no effect with model = "continued".*belongs'),
        (
            BASE,
            {"features": {"kind": "one_active", "p_active": 0.5}},
            'features.p_active = 0.5 has no effect with "one_active".*"independent"',
        ),
        (NEWTON, {"steps": 7}, 'steps = 7 has no effect with optimizer = "newton".*that train'),
        (NEWTON, {"schedule": "linear"}, "schedule = 'linear' has no effect.*that train"),
        (CIRCUITS, {"steps": 5}, "steps = 5 has no effect with circuits.*not trained"),
    ],
)
def test_a_key_that_belongs_to_something_else_says_to_what(table, change, told):
    with pytest.raises(InputError, match=told):
        resolve(table | change)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (BASE, {"momentum": 0.0}),
        (BASE, {"assignment": "prime_steps"}),
        (NEWTON, {"steps": 2000, "schedule": "cosine"}),
        (CIRCUITS, {"learning_rate": 1e-2}),
    ],
)
def test_a_key_without_effect_may_say_what_is_the_case_anyway(table, change):
    assert resolve(table | change).resolved() == resolve(table).resolved()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"optimizer": "newton", "estimator": "sampled"}, "estimator = 'exact', got 'sampled'"),
        ({"optimizer": "newton", "model": "linear"}, "model = 'relu', got 'linear'"),
        ({"optimizer": "newton", "n_features": 7}, "n_features"),
        ({"optimizer": "newton", "n_hidden": 5}, "n_hidden = 5"),
        ({"optimizer": "newton", "n_starts": 0}, "n_starts = 0"),
        ({"optimizer": "newton", "work": "train"}, 'work = "train" needs an optimizer'),
        ({"work": "solve"}, 'work = "solve" needs optimizer = "newton"'),
        ({"work": "solv"}, "work = 'solv': no such name. Did you mean 'solve'"),
        ({"work": 3}, "work = 3: give one of train, solve, simulate"),
        ({"steps": 10, "snapshots": [5, 11]}, r"snapshots = \[11\]"),
        ({"snapshots": [1.5]}, "snapshots = .*fractional"),
        ({"importance": [1.0, -1.0, 1, 1, 1]}, "importance = "),
        ({"importance": {"ratio": -0.5}}, "importance = "),
        ({"features": {"p_active": 1.5}}, "p_active = 1.5"),
        ({"features": {"p_active": [0.1, 0.2]}}, "p_active"),
        ({"features": {"n_features": 4}}, "n_features = 5, but the world has 4"),
        ({"features": "one_active"}, "features = 'one_active': write it as a table"),
        ({"estimator": "exact", "model": "linear"}, 'estimator = "exact" .*LinearAutoencoder'),
        ({"estimator": "exact", "n_features": 7}, "n_features = 6, got 7"),
        ({"estimator": "exactly"}, "estimator = 'exactly': no such name. Did you mean 'exact'"),
        ({"init_scale": "xaver"}, "init_scale = 'xaver': give a number"),
        ({"momentum": True, "optimizer": "sgd"}, "momentum = True: give a number"),
        ({"frozen": ["V"]}, "frozen = 'V': the model has W, b"),
        ({"frozen": "W"}, "frozen = 'W'"),
        ({"measures": "geometry"}, "measures = 'geometry': give a list of names, or a table"),
        ({"measures": ["geometri"]}, "measures = 'geometri'.*Did you mean 'geometry'"),
        ({"measures": {"geometry": 3}}, "measures.geometry = 3: it has no settings"),
        ({"penalties": ["l9"]}, "penalties = 'l9': no such name"),
        ({"penalties": 3}, "penalties = 3: give a list of names, or a table"),
        (
            {"penalties": {"mine:L2": {"wieght": 1}}},
            "'penalties.mine:L2.wieght'. Did you mean 'weight'",
        ),
        ({"penalties": {"l1_hidden": 0.1}, "estimator": "exact"}, 'use estimator = "sampled"'),
        ({"model": "mine:magnitude"}, "model = 'mine:magnitude' cannot be imported"),
        ({"model": "not_there:Model"}, "cannot be imported: No module named 'not_there'"),
        ({"model": "mine:Magnitude"}, "model: .*Magnitude.* is none, it has no method `start`"),
        ({"model": ":"}, "model = ':': no such name"),
        ({"model": ".mine:Named"}, "model = '.mine:Named': no such name"),
        ({"task": "mine:HiddenOf"}, r"studies the models of another sweep.*\[models\]"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, told):
    with pytest.raises(InputError, match=told):
        cell_of(BASE | change)


# Things of a user, from `tests/mine.py`.


def test_keys_of_a_users_things_come_from_their_signatures():
    table = {"task": "mine:Magnitude", "model": "mine:Quadratic", "p_nonzero": 0.25, "spread": 3}
    run = cell_of(table).run
    assert run.task.p_active == np.float32(0.25)
    assert run.init.spread == 3
    found = resolve(table).resolved()
    assert (found["p_nonzero"], found["spread"], found["steps"]) == (0.25, 3.0, 2000)
    with pytest.raises(InputError, match=r"'p_nonzer'. Did you mean 'p_nonzero'"):
        resolve({"task": "mine:Magnitude", "model": "mine:Quadratic", "p_nonzer": 0.25})
    with pytest.raises(InputError, match="n_hidden"):
        resolve(table | {"n_hidden": 2})
    with pytest.raises(InputError, match="spread = 'wide': give a number"):
        resolve(table | {"spread": "wide"})


def test_a_users_world_stands_where_the_others_do():
    features = run_of(features={"kind": "mine:Together", "p_together": 0.3}).task.features
    assert (features.n_features, features.n_uniforms) == (5, 6)
    assert features.p_active == np.float32(0.3)


@pytest.mark.parametrize(
    ("given", "weight"),
    [
        (["mine:L2"], 0.1),
        ({"mine:L2": {}}, 0.1),
        ({"mine:L2": 0.3}, 0.3),
        ({"mine:L2": {"weight": 0.4}}, 0.4),
    ],
)
def test_penalties_are_a_list_a_number_or_a_table(given, weight):
    (penalty,) = run_of(penalties=given).penalties
    assert penalty.weight == weight


def test_measures_are_a_list_or_a_table_and_none_is_not_the_default():
    assert run_of().measures is None
    assert run_of(measures=[]).measures == ()
    plain, drawn = run_of(measures=["mine:largest_weight", "mine:MeanOutput"]).measures
    assert (plain.__name__, drawn.n) == ("largest_weight", 8)
    assert run_of(measures={"mine:MeanOutput": 3}).measures[0].n == 3
    assert run_of(measures={"mine:MeanOutput": {"n": 4}}).measures[0].n == 4


def test_a_densitys_profile_knows_how_many_features_there_are():
    for given in ({"ratio": 0.5}, {"law": "geometric", "ratio": 0.5, "first": 1.0}):
        features = run_of(features={"p_active": given}).task.features
        assert isinstance(features, Independent)
        np.testing.assert_allclose(features.p_active, 0.5 ** np.arange(5))


def test_the_list_of_names_is_the_only_one():
    """A new thing is one line of the registry: no other file of `sweeps` lists names.

    A recipe names the things that it is made of.
    """
    lists = ("registry.py", "recipes.py")
    others = [p for p in (ROOT / "sweeps").rglob("*.py") if p.name not in lists]
    for name in ("adamw", "untied", "one_active", "signed_uniform", "transversal", "stratified"):
        assert not [p.name for p in others if f'"{name}"' in p.read_text()]
