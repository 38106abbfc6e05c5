import math

import numpy as np
import pytest
from builders import make_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.config.parse import parse, read_toml
from sweeps.config.sweep import config_from_json
from sweeps.plan import make_programs
from toymodels.errors import InputError

MINE = """name = "mine"
model = "relu"            # linear | relu | untied
n_features = 5
n_hidden = 2
steps = 2000
[grid]
p_active = { log = [0.01, 1.0, 20] }
seed = { range = 8 }
"""


def test_the_readmes_eight_lines_are_a_sweep(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    config = parse(read_toml(tmp_path / "mine.toml"))
    assert config.name == "mine"
    assert [d.name for d in config.grid.dimensions] == ["p_active", "seed"]
    assert config.grid.shape == (20, 8)
    p, seed = (d.axes[0].values for d in config.grid.dimensions)
    np.testing.assert_allclose(p, np.geomspace(0.01, 1, 20), rtol=1e-11)
    assert seed == tuple(range(8))
    run = config.build({"features.p_active": 0.25}).run
    np.testing.assert_array_equal(run.task.features.p_active, np.float32([0.25] * 5))
    assert run.spec.steps == 2000


def test_an_axis_can_be_a_profiles_parameter_and_is_called_after_what_it_describes():
    config = parse(make_table(grid={"importance": {"relative": [0.5, 2.0]}}))
    assert config.grid.dimensions[0].name == "relative_importance"
    run = config.build({"importance.relative": 2.0}).run
    np.testing.assert_array_equal(run.task.importance, [1, 1, 2])


def test_an_axis_can_be_a_name():
    config = parse(make_table(grid={"model": ["linear", "untied"]}))
    assert config.build({"model": "untied"}).run.init.model.__name__ == "UntiedAutoencoder"
    config = parse(make_table(grid={"features": {"values": ["uniform", "signed_uniform"]}}))
    assert config.grid.dimensions[0].name == "values"


def test_zipped_axes_are_one_dimension():
    sizes = {"n_features": [3, 4], "n_hidden": [2, 2]}
    config = parse(make_table(grid={"seed": [0]}, zip={"size": sizes}))
    assert config.grid.shape == (1, 2)
    assert [a.name for a in config.grid.dimensions[1].axes] == ["n_features", "n_hidden"]


def test_derived_values_follow_their_axes():
    table = make_table(grid={"n_hidden": [1, 4], "factor": [0.5, 2.0]})
    table["derive"] = {
        "init_scale": {"function": "inverse_square_root", "of": ["n_hidden"]},
        "importance": {"ratio": {"function": "product", "of": ["factor", "n_hidden"]}},
    }
    run = parse(table).build({"n_hidden": 4, "factor": 0.5}).run
    assert float(run.init.scale) == 0.5
    np.testing.assert_array_equal(run.task.importance, [1, 2, 4])
    assert run.init.n_hidden == 4


def test_overrides_come_last_and_are_read_as_toml():
    table = make_table(fast={"steps": 5, "grid": {"seed": {"range": 1}}})
    texts = ["steps=7", "grid.p_active.log=[0.1, 1, 4]", "model=linear", "learning_rate = 1e-3"]
    config = parse(table, texts, version="fast")
    assert config.grid.shape == (4, 1)
    assert config.run["steps"] == 7
    assert config.run["model"] == "linear"
    assert config.run["learning_rate"] == 1e-3
    assert parse(table).run["steps"] == 20
    assert parse(table).grid.shape == (3, 2)


def test_fast_changes_only_what_it_names():
    table = make_table(
        grid={"importance.relative": {"log": [0.1, 10, 9]}, "p_active": [0.1, 1.0]},
        fast={"grid": {"importance.relative": {"log": [0.1, 10, 3]}}, "steps": 3},
    )
    config = parse(table, version="fast")
    assert [d.name for d in config.grid.dimensions] == ["relative_importance", "p_active"]
    assert config.grid.shape == (3, 2)
    assert config.run["steps"] == 3


NAN, INF = float("nan"), float("inf")
DERIVED_TWICE = {
    "grid": {"p_active": [0.5], "seed": [1]},
    "derive": {"p_active": {"function": "product", "of": ["seed"]}},
}
DERIVED_OF_SEED = {"derive": {"init_scale": {"function": "product", "of": ["seed"]}}}
BAD = [
    ({"stepz": 5}, "unknown key 'stepz'.*'steps'"),
    ({"features": {"p_activ": 0.5}}, "unknown key 'features.p_activ'.*'p_active'"),
    ({"model": "rleu"}, "model = 'rleu'.*relu"),
    ({"p_active": 1.5}, "p_active = 1.5"),
    ({"p_active": -0.1}, "p_active = -0.1"),
    ({"p_active": NAN}, "p_active = nan"),
    ({"p_active": "dense"}, "p_active = 'dense'"),
    ({"n_features": 0}, "n_features = 0"),
    ({"n_hidden": 0}, "n_hidden = 0"),
    ({"n_hidden": 2.5}, "n_hidden = 2.5"),
    ({"n_hidden": "2"}, "n_hidden = '2'"),
    ({"n_hidden": True}, "n_hidden = True"),
    ({"n_hidden": [2]}, r"n_hidden = \[2\]"),
    ({"n_features": 10**400}, "n_features = 1000"),
    ({"importance": NAN}, "importance = nan"),
    ({"importance": INF}, "importance = inf"),
    ({"importance": -1.0}, "importance = -1"),
    ({"importance": [1, 1]}, "importance .*n_features = 3"),
    ({"learning_rate": -1}, "learning_rate = -1"),
    ({"learning_rate": INF}, "learning_rate = inf"),
    ({"learning_rate": 1e300}, r"learning_rate = 1e\+300"),
    ({"batch_size": 0}, "batch_size = 0"),
    ({"steps": -5}, "steps = -5"),
    ({"seed": -1}, "seed = -1"),
    ({"seed": 1.5}, "seed = 1.5"),
    ({"name": "a/b"}, "name = 'a/b'"),
    ({"name": 3}, "name = 3"),
    ({"grid": {}}, r"\[grid\] is empty"),
    ({"grid": {"p_active": []}}, "'features.p_active' is empty"),
    ({"grid": {"p_active": {}}}, "'features.p_active' = {}"),
    ({"grid": {"seed": {"range": 0}}}, "'seed' is empty"),
    ({"grid": {"p_active": {"log": [0.1, 1, 0]}}}, "'features.p_active' is empty"),
    ({"grid": {"p_active": [0.1, 0.1]}}, "'features.p_active' holds the value 0.1 twice"),
    ({"grid": {"p_activ": [0.1]}}, "'p_activ' sets nothing. Did you mean 'p_active'"),
    ({"grid": {"p_active": [NAN]}}, "'features.p_active' holds nan"),
    ({"grid": {"p_active": [True]}}, "'features.p_active' holds True"),
    ({"grid": {"p_active": [2.0]}}, "p_active = 2.0"),
    ({"grid": {"p_active": {"log": [0, 1, 5]}}}, "log = .* needs numbers > 0"),
    ({"grid": {"p_active": {"log": [0.1, 1]}}}, r"\[FIRST, LAST, COUNT\]"),
    ({"grid": {"p_active": {"log": [0.1, INF, 3]}}}, "finite"),
    ({"grid": {"p_active": {"log": [0.1, 10**400, 3]}}}, "finite"),
    ({"grid": {"p_active": {"log": [0.1, 1, 3], "linear": [0, 1, 2]}}}, "exactly one of"),
    ({"grid": {"seed": {"range": 10**9}}}, "1,000,000,000 values"),
    ({"grid": {"seed": [0, 1.5]}}, "seed = 1.5"),
    ({"grid": 5}, r"grid = 5: .*\[grid\]"),
    ({"zip": {"size": {"n_features": [3, 4], "n_hidden": [2]}}}, "'size' have different lengths"),
    ({"zip": {"size": 5}}, "zip.size = 5"),
    ({"zip": {"steps": {"n_features": [3, 4]}}}, "zip.steps: 'steps' is a key of the run"),
    ({"models": 5}, r"models = 5: .*\[models\]"),
    ({"models": {"model": "relu", "n_features": 3, "n_hidden": 2}}, r"\[models\] has no effect"),
    ({"importance": 0.5, "grid": {"importance.relative": [1, 2]}}, "cannot both be given"),
    ({"grid": {"model.size": [1]}}, "model = 'relu' and model.size cannot both be given"),
    ({"tiny": 5}, r"tiny = 5: .*\[tiny\]"),
    ({"zip": {"size": {"n_features": {}}}}, "'n_features' = {}"),
    ({"fast": 5}, r"fast = 5: .*\[fast\]"),
    ({"derive": {"init_scale": 5}}, "derive.init_scale = 5"),
    ({"derive": {"init_scale": {}}}, "derive.init_scale = {}"),
    ({"derive": {"init_scale": {"function": "prodct", "of": ["seed"]}}}, "'product'"),
    ({"derive": {"init_scale": {"function": ["product"], "of": ["seed"]}}}, "no function"),
    ({"derive": {"init_scale": {"function": "product", "of": ["what"]}}}, "'what'"),
    ({"derive": {"inti_scale": {"function": "product", "of": ["seed"]}}}, "'init_scale'"),
    ({"derive": {"seed": {"function": "product", "of": ["seed"]}}}, "derive.seed: no such key"),
    (DERIVED_OF_SEED, "derive uses 'seed', which cells do not know"),
    (DERIVED_TWICE, "both derived and an axis"),
]


@pytest.mark.parametrize(("change", "told"), BAD, ids=[str(b[0])[:60] for b in BAD])
def test_bad_input_is_named(change, told):
    with pytest.raises(InputError, match=told):
        parse(make_table(**({"grid": {"seed": [1, 2]}} | change)))


@pytest.mark.parametrize("key", ["name", "model", "n_features", "n_hidden"])
def test_what_is_missing_is_named(key):
    table = make_table()
    del table[key]
    with pytest.raises(InputError, match=key):
        parse(table)


def test_a_bad_cell_in_the_middle_is_found_before_training():
    config = parse(make_table(grid={"p_active": [0.5, 1.5]}))
    with pytest.raises(InputError, match=r"p_active = 1\.5"):
        make_programs(config.grid, config.build)


@pytest.mark.parametrize(
    "text", ["steps", "=5", "steps=2020-01-01", "stepz=5", "grid=5", "=", "a.=1"]
)
def test_bad_overrides_are_refused(text):
    with pytest.raises(InputError):
        parse(make_table(), [text])


@pytest.mark.parametrize(
    "content", [b"a = ", b"\xff\xfe", b"a = 1\na = 2", b"a = " + b"9" * 5000, b"a=" + b"[" * 10**5]
)
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.toml is not valid TOML"):
        read_toml(tmp_path / "bad.toml")


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_toml(tmp_path)


KEYS = ["name", "model", "n_features", "n_hidden", "steps", "features", "p_active", "importance"]
KEYS += ["init_scale", "snapshots", "momentum", "optimizer", "schedule", "grid", "zip", "derive"]
KEYS += ["fast", "seed", "learning_rate", "batch_size", "stepz", "evaluation_size", "description"]
KEYS += ["work", "task", "estimator", "penalties", "measures", "frozen", "models", "circuits"]
KEYS += ["n_starts", "width", "tiny", "figure", "trained", "values", "terms"]
INNER = ["p_active", "values", "law", "ratio", "relative", "log", "linear", "range", "seed", "size"]
INNER += [
    "importance",
    "importance.ratio",
    "function",
    "of",
    "n_hidden",
    "features",
    "x.y",
    "",
    ".",
]
INNER += ["kind", "geometry", "penalties.a:b.weight", "model", "a:b", "optimizer", "models.seed"]
WORDS = ["relu", "sgd", "linear", "xavier", "geometric", "product", "seed", "", "a", "newton"]
WORDS += ["exact", "fourier", "train", "solve", "simulate", "rotations", "geometry", "one_active"]
WORDS += ["independent", ":", "a:", ":b", ".a:b", "no_such:Thing", "math:pi", "math:nothing", "W"]
WORDS += ["uniform", "prime_steps", "ideal", "adam"]
words = st.sampled_from(WORDS)
numbers = st.one_of(
    st.integers(-3, 9), st.floats(), st.sampled_from([10**20, 10**400, 1e39, -0.0, 1e-320])
)
scalars = st.one_of(numbers, words, st.booleans(), st.dates())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(INNER), inner, max_size=3)
    ),
    max_leaves=8,
)


def plan_of(table, **how):
    """Do all that happens before anything runs; grids that are not small are only parsed."""
    config = parse(table, **how)
    sizes = [config.run.get(key, 1) for key in ("n_features", "n_hidden", "width", "n_circuits")]
    small = all(isinstance(n, int | float) and n < 10**4 for n in sizes)
    if config.grid.size <= 20 and small:
        make_programs(config.grid, config.build, config.seed)
        again = config_from_json(config.as_json())
        assert (again.hash(), again.as_json()) == (config.hash(), config.as_json())
    return config


@given(
    change=st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=4),
    version=st.sampled_from(["", "fast", "tiny"]),
)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_table_is_a_sweep_or_a_clear_message(change, version):
    try:
        config = plan_of(make_table(**change), version=version)
    except InputError as error:
        assert str(error)
    else:
        assert math.isfinite(config.grid.size)


@given(path=st.text(max_size=12), value=st.one_of(st.text(max_size=12), values.map(str)))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_override_is_taken_or_refused_clearly(path, value):
    try:
        parse(make_table(), [f"{path}={value}"])
    except InputError as error:
        assert str(error)


@pytest.mark.parametrize("override", ["p_active=nan", "importance.ratio=0.5", "model=linear"])
def test_a_value_that_the_grid_would_replace_is_refused(override):
    table = {"name": "twice", "n_features": 3, "n_hidden": 2, "importance": {"law": "geometric"}}
    axes = {"p_active": [0.1], "importance.ratio": [0.9], "model": ["relu"]}
    parse(table | {"grid": axes}, ["seed=3", "steps=5"])
    with pytest.raises(InputError, match="axis of the grid"):
        parse(table | {"grid": axes}, [override])
