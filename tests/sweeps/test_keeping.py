"""What is kept of a result is what it would have been, and what was left out is asked for aloud."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_table

from sweeps import best_over_seeds, export_npz, parse, restore, run_sweep
from sweeps.config.sweep import config_from_json
from sweeps.keeping import check_names, keep_of
from sweeps.stored_models import stored_models
from toymodels.errors import InputError

TABLE = make_table()
KEEP = ["norm", "loss", "W_at_snapshot"]
AT = {"p_active": 0.1, "n_features": 4, "learning_rate": 0.01}
STUDY = {"name": "readers", "task": "hidden_of", "model": "sparse_autoencoder", "n_latents": 3}
STUDY |= {"steps": 2, "batch_size": 4, "evaluation_size": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def narrow(sizes, folder):
    config = replace(config_from_json(sizes.attrs["config"]), keep=tuple(KEEP))
    return run_sweep(config, out=folder)


def test_what_is_kept_is_the_whole_result_narrowed_afterwards(narrow, sizes):
    wanted = sizes[[name for name in sizes if name in (*KEEP, "diverged")]]
    narrow = narrow.drop_attrs(deep=False)
    xr.testing.assert_identical(narrow, wanted.drop_attrs(deep=False))
    assert list(narrow) == list(wanted)
    assert "step" in sizes.coords.keys() - narrow.coords.keys()


def test_what_is_left_out_is_in_no_file(narrow, folder):
    for block in folder.glob("runs/*/blocks/*.npz"):
        with np.load(block) as arrays:
            held = {name for name in arrays if name.startswith(("field/", "coordinate/"))}
        assert held == {f"field/{name}" for name in narrow} | {"coordinate/snapshot"}


def test_keep_belongs_to_a_sweeps_identity_where_it_is_given():
    plain, config = parse(TABLE), parse(TABLE, [f"keep={json.dumps(KEEP)}"])
    assert config.keep == tuple(KEEP)
    assert config_from_json(config.as_json()) == config
    assert "keep" not in json.loads(plain.as_json())
    assert config.hash() != plain.hash() == replace(config, keep=None).hash()
    others = [KEEP[::-1], ["diverged", *KEEP], KEEP[:2]]
    same = [parse(TABLE | {"keep": keep}).hash() == config.hash() for keep in others]
    assert same == [True, True, False]


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        ([], r"keep = \[\]: give a list of names"),
        ("loss", "keep = 'loss': give a list"),
        ("loss,norm", "give a list of names of variables, such as"),
        ([1.5], r"keep = \[1.5\]: give a list"),
        ({"loss": True}, "give a list"),
        (["loss", "b", "loss"], "keep names 'loss' twice"),
        (["los"], "gives no variable 'los'. Did you mean 'loss'"),
        (["step"], "gives no variable 'step'. There are W, b, .* Axes stay"),
        (["loss", "seed"], "gives no variable 'seed'"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_runs(keep, told):
    ear = Ear()
    with pytest.raises(InputError, match=told):
        run_sweep(TABLE | {"keep": keep}, report=ear)
    assert not ear.heard


def test_a_name_that_some_kinds_of_work_alone_give_is_kept():
    table = make_table(grid={"optimizer": ["adam", "newton"]})
    config = parse(table | {"keep": ["n_tried", "loss_fall"]})
    check_names(config.grid, config.kinds(), config.keep)
    with pytest.raises(InputError, match="Did you mean 'n_tried'"):
        check_names(config.grid, config.kinds(), ("n_tired",))


def test_models_are_made_of_what_is_kept_or_what_is_missing_is_named(narrow, sizes, tmp_path):
    weights = sizes[["W", "b", "diverged"]]
    (stored,) = stored_models(weights, **AT)
    np.testing.assert_array_equal(stored.model.W, restore(sizes, **AT).model.W)
    assert "loss" not in stored.about
    told = "does not hold W, b, .* kept norm, loss, W_at_snapshot alone"
    with pytest.raises(InputError, match=told):
        restore(narrow, **AT)
    with pytest.raises(InputError, match=told):
        export_npz(narrow, tmp_path / "cell.npz", **AT)
    with pytest.raises(InputError, match=told):
        stored_models(narrow, **AT)


def test_the_best_of_seeds_needs_what_it_goes_by(narrow):
    with pytest.raises(InputError, match=r"'loss_ranking'.* kept norm, .*: name it in `keep`"):
        best_over_seeds(narrow, dim="learning_rate")
    assert best_over_seeds(narrow, "loss", "learning_rate").norm.shape == (2, 2, 4)


def test_models_whose_weights_are_not_kept_are_not_studied():
    first = {k: v for k, v in TABLE.items() if k != "name"}
    with pytest.raises(InputError, match=r"models: readers.models .* name b in its keep"):
        parse(STUDY | {"models": first | {"keep": ["loss", "W"]}})
    ear = Ear()
    with pytest.raises(InputError, match="gives no variable 'A'"):
        run_sweep(STUDY | {"models": first, "keep": ["A"]}, report=ear)
    assert not ear.heard
    weights = parse(STUDY | {"models": first}, ['models.keep=["W", "b"]']).models
    assert weights is not None
    assert weights.keep == ("W", "b")


def test_what_attributes_do_not_say_was_all_kept(narrow):
    assert keep_of(narrow) == tuple(KEEP)
    for attrs in ({}, {"config": "no JSON"}, {"config": "[1]"}, {"grid": 3}):
        assert keep_of(xr.Dataset(attrs=attrs)) is None
