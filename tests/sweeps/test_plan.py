"""Which cells share a program: floats vectorise, sizes and names loop."""

import numpy as np
import pytest
from builders import make_run, make_table

from sweeps.config.parse import parse
from sweeps.grid import Axis, Dimension, Grid
from sweeps.plan import Cell, make_programs, program_key, window
from toymodels.errors import InputError
from toymodels.tasks import Reconstruction


def programs_of(**table):
    config = parse(make_table(**table))
    return make_programs(config.grid, config.build, config.seed)


def test_floats_vectorise_and_sizes_loop():
    grid = {"p_active": [0.1, 0.5], "learning_rate": [0.1, 0.2, 0.3], "seed": [0, 1]}
    (program,) = programs_of(grid=grid)
    assert program.points.shape == (2, 6)
    grid = {"n_hidden": [1, 2], "p_active": [0.1, 0.5], "seed": [0, 1]}
    assert [s.points.shape for s in programs_of(grid=grid)] == [(2, 2), (2, 2)]
    assert len(programs_of(grid={"model": ["linear", "relu"], "steps": [5, 6]})) == 4


@pytest.mark.parametrize(
    "axis",
    [
        {"weight_decay": [0.0, 0.1]},
        {"init_scale": ["xavier", 0.5]},
        {"importance": {"ratio": [0.5, 0.9]}},
        {"features": {"p_active": [0.001, 0.5]}},
    ],
    ids=str,
)
def test_settings_that_are_numbers_never_loop(axis):
    assert len(programs_of(grid=axis)) == 1


def test_kinds_of_work_never_share_a_program():
    table = make_table(n_features=2, n_hidden=1, grid={"optimizer": ["adam", "newton"]})
    for key in ("steps", "batch_size", "evaluation_size"):
        del table[key]
    config = parse(table)
    programs = make_programs(config.grid, config.build)
    assert [program.work.name for program in programs] == ["train", "solve"]


def test_every_point_is_in_one_program_with_its_own_values():
    grid = {"seed": [4, 7], "n_hidden": [1, 2], "p_active": [0.1, 0.2, 0.3]}
    config = parse(make_table(grid=grid))
    points = list(config.grid.points())
    seen = []
    for program in make_programs(config.grid, config.build, config.seed):
        for s, seed in enumerate(program.seeds):
            for c in range(program.points.shape[1]):
                flat = program.points[s, c]
                seen.append(flat)
                assert points[flat]["seed"] == seed
                p = program.cell(c).task.features.p_active[0]
                assert p == np.float32(points[flat]["features.p_active"])
    assert sorted(seen) == list(range(12))


def test_a_cell_is_built_once_however_many_seeds_there_are():
    built = []

    def build(values):
        built.append(values["p"])
        return Cell(_WORK, make_run(p_active=values["p"]))

    axes = (Axis("p", "p", (0.1, 0.5)), Axis("seed", "seed", tuple(range(50))))
    (program,) = make_programs(Grid(tuple(Dimension(a.name, (a,)) for a in axes)), build, 3)
    assert built == [0.1, 0.5]
    assert (program.seeds, program.root) == (tuple(range(50)), 3)


class _WORK:
    name = "train"


def test_a_grid_without_seeds_has_seed_zero():
    (program,) = programs_of(grid={"p_active": [0.1]})
    assert program.seeds == (0,)


def test_seeds_that_only_some_cells_have_make_programs_of_their_own():
    """A zip over a size and the seed is no rectangle."""
    table = {"grid": {"p_active": [0.1, 0.5]}, "zip": {"z": {"seed": [0, 1], "importance": [1, 2]}}}
    programs = programs_of(**table)
    points = np.concatenate([program.points.ravel() for program in programs])
    assert sorted(points) == [0, 1, 2, 3]
    for program in programs:
        for c in range(program.points.shape[1]):
            importance = program.cell(c).task.importance[0]
            assert [importance - 1] == list(program.seeds)


def test_equal_cells_are_one_program():
    one, two = (Cell(_WORK, make_run(p_active=p)) for p in (0.1, 0.2))
    assert program_key(one) == program_key(two)
    for other in (make_run(4), make_run(steps=5), make_run().replace(frozen=("W",))):
        assert program_key(Cell(_WORK, other)) != program_key(one)


class Undecorated(Reconstruction):
    """What a user forgets: `@struct.dataclass` above a class of their own."""


def test_a_class_that_is_no_record_is_refused_by_name():
    run = make_run()
    task = Undecorated(run.task.features, run.task.importance)
    with pytest.raises(InputError, match=r"Undecorated is no record.*@flax.struct.dataclass"):
        program_key(Cell(_WORK, run.replace(task=task)))


def test_a_window_repeats_the_last_and_says_which_count():
    index, counts = window(4, 4, 6)
    np.testing.assert_array_equal(index, [4, 5, 5, 5])
    np.testing.assert_array_equal(counts, [True, True, False, False])
