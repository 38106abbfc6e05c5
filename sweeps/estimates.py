"""What a sweep will take, before it is run."""

from typing import NamedTuple

from sweeps.config.sweep import SweepConfig
from sweeps.keeping import check_names
from sweeps.machine import DEFAULT_MEMORY_GIB, Machine, in_bytes
from sweeps.plan import Program, make_programs


class Estimate(NamedTuple):
    """What a sweep will take."""

    models: int
    programs: int
    blocks: int
    memory_gib: float
    seconds: float


def estimate(config: SweepConfig, memory_gib: float = DEFAULT_MEMORY_GIB) -> Estimate:
    """Say what a sweep will take, by timing a little of each program; keeps nothing.

    The sweep whose models another one studies counts as well.
    """
    machine = Machine.here(in_bytes(memory_gib))
    programs = make_programs(config.grid, config.build, config.seed)
    check_names(config.grid, map(Program.first, programs), config.keep)
    blocks = [list(program.work.cut(program, machine)) for program in programs]
    peak = max(of_program[0].program.work.block_bytes(of_program[0]) for of_program in blocks)
    seconds = 0.0
    for work in {program.work for program in programs}:
        seconds += work.seconds([b for b in blocks if b[0].program.work is work])
    own = Estimate(config.grid.size, len(programs), sum(map(len, blocks)), peak / 2**30, seconds)
    if config.models is None:
        return own
    first = estimate(config.models, memory_gib)
    most = max(first.memory_gib, own.memory_gib)
    return Estimate(
        first.models + own.models,
        first.programs + own.programs,
        first.blocks + own.blocks,
        most,
        first.seconds + own.seconds,
    )
