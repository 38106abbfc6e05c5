"""What every kind of work owes `sweeps.run`, held for all that are registered."""

import numpy as np
import pytest
from builders import make_table

from sweeps.config.parse import parse
from sweeps.config.registry import NAMES, find
from sweeps.machine import Machine
from sweeps.plan import make_programs
from sweeps.work.base import dims_of, world_fields, world_of
from toymodels.features import Independent, OneActive
from toymodels.fields import Field
from toymodels.tasks import Reconstruction

GRID = {"seed": {"range": 2}}
TABLES = {
    "train": make_table(grid={"p_active": [0.1, 0.5, 1.0], **GRID}),
    "solve": {
        "name": "solved",
        "model": "relu",
        "n_features": 2,
        "n_hidden": 1,
        "optimizer": "newton",
        "grid": {"p_active": [0.1, 0.5, 1.0], **GRID},
    },
    "simulate": {
        "name": "simulated",
        "circuits": "rotations",
        "n_circuits": 20,
        "width": 800,
        "n_samples": 20,
        "grid": {"inhibition": [1.0, 1.3, 1.5], **GRID},
    },
    "fit": {
        "name": "fitted",
        "work": "fit",
        "task": "reconstruction",
        "n_features": 3,
        "n_samples": 50,
        "decomposition": "pca",
        "grid": {"p_active": [0.1, 0.5, 1.0], **GRID},
    },
}


@pytest.fixture(params=NAMES["work"])
def work(request):
    """A kind of work with its program of 2 seeds × 3 cells."""
    if request.param == "fit":
        pytest.importorskip("sklearn")
    config = parse(TABLES[request.param])
    (program,) = make_programs(config.grid, config.build, config.seed)
    return find("work", request.param), program


def test_blocks_hold_every_point_once_and_have_a_cost(work):
    kind, program = work
    blocks = list(kind.cut(program, Machine(2**30)))
    found = np.concatenate([b.points[b.points >= 0] for b in blocks])
    assert sorted(found) == list(range(6))
    assert all(kind.cost(b) > 0 and 0 < kind.block_bytes(b) < 2**31 for b in blocks)


def test_progress_adds_up_to_the_cost_and_fields_fit_their_block(work):
    kind, program = work
    (block, *_) = kind.cut(program, Machine(2**30))
    heard = []
    output = kind.run(block, heard.append)
    assert sum(heard) == kind.cost(block)
    for name, field in output.fields.items():
        assert field.values.shape[:2] == block.points.shape, name
        assert field.values.ndim == 2 + len(field.dims), name
        assert field.words, name
    assert dims_of(output.fields).items() <= kind.variables(program.cell(0)).items()
    assert "diverged" in output.fields
    for field in output.fields.values():
        for dim, size in zip(field.dims, field.values.shape[2:], strict=True):
            assert size == len(output.coords.get(dim, range(size)))


def test_a_caption_says_how_many_seeds_or_starts(work):
    from sweeps.run import run_sweep

    kind, _ = work
    said = ", ".join(kind.caption(run_sweep(TABLES[kind.name])))
    wanted = {
        "train": "2 seeds, 20 steps of 16 examples, learning rate 0.01",
        "solve": "3 × 2 cells, 7 to 11 starts each, no sampling",
        "simulate": "2 seeds, 20 examples each, D = 800, T = 20",
        "fit": "PCA and FastICA of 50 hidden states",
    }
    assert said.startswith(wanted[kind.name])


def test_arrays_of_a_world_are_called_after_what_they_are_of():
    task = Reconstruction.create(Independent.create([0.1, 0.2]), [1.0, 0.5])
    assert set(world_of(task)) == {"p_active_of_feature", "importance_of_feature"}
    assert set(world_of(Reconstruction.create(OneActive(3)))) == {"importance_of_feature"}


def test_arrays_of_a_world_are_those_of_each_cell(work):
    kind, program = work
    (block, *_) = kind.cut(program, Machine(2**30))
    if kind.name == "simulate":
        return  # circuits have no world of features
    found = world_fields(block)["p_active_of_feature"].values
    assert found.shape[:2] == block.points.shape
    np.testing.assert_allclose(found[0, :, 0], [0.1, 0.5, 1.0])


def test_variables_are_named_with_their_dimensions():
    fields = {"W": Field(None, ("hidden", "feature")), "loss": Field(None)}
    assert dims_of(fields) == {"W": ("hidden", "feature"), "loss": ()}
