"""The runs behind Figures 5 to 7 of the circuits' post: one kind of network, several z, over seeds.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6): D = 1000 neurons, T = 557
circuits, S = 6, one to three circuits active. With z = 1 every circuit is active once, otherwise
`rounds` T random sets are drawn, as in the post. There one network is shown; here `n_seeds`.

The figures share one stored run, cut into blocks of one seed and one z.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from figures.settings import as_json, hash_of, require_at_least
from sweeps.run import Quiet, Report
from sweeps.stats import mean_over_seeds
from sweeps.store import RunFolder, open_dataset, provenance, save_dataset, write_json
from toymodels.circuits.simulation import blocks_of, simulate_rotations
from toymodels.errors import InputError

NAME = "circuits-post"


@dataclass(frozen=True)
class Post:
    """What may be changed; the values of the post, but for the seeds."""

    width: int = 1000  # D
    n_circuits: int = 557  # T
    redundancy: int = 6  # S
    n_layers: int = 5  # L
    n_active: tuple[int, ...] = (1, 2, 3)  # z
    rounds: int = 100  # examples / T where z > 1
    n_seeds: int = 5
    seed: int = 0  # the first
    bias: float = 1.0  # b
    inhibition: float = 1.0  # multiplier of χ
    gain: float = 2.0  # k

    @property
    def n_blocks(self) -> int:
        """N = D / 4."""
        return blocks_of(self.width, 4)

    def n_samples(self, n_active: int) -> int:
        """Return how many examples a run with z active circuits takes."""
        return self.n_circuits * (1 if n_active == 1 else self.rounds)


FAST = Post(rounds=4, n_seeds=3)


def run_post(
    settings: Post,
    *,
    out: str | Path | None = None,
    fresh: bool = False,
    report: Report | None = None,
) -> xr.Dataset:
    """Simulate every seed and z, or take what is finished in `out/runs/`.

    Args:
        settings: sizes and seeds.
        out: folder that keeps the run; None keeps all in memory.
        fresh: start over.
        report: is told the progress, in examples.

    Returns:
        The fields of `RotationErrors` over (seed, n_active, layer), and `diverged`.

    Raises:
        InputError: settings that are not possible.
    """
    require_at_least(settings, 1, "rounds", "n_seeds", "n_circuits", "n_layers")
    require_at_least(settings, 0, "seed")
    if len(set(settings.n_active)) < len(settings.n_active):
        raise InputError(f"n_active = {list(settings.n_active)}: give each number once.")
    report = report or Quiet()
    if out is None:
        return _joined(settings, list(_blocks(settings, lambda i: None, report)))
    config = as_json(NAME, settings)
    path = Path(out) / "runs" / f"{NAME}-{hash_of(config)}"
    with RunFolder(path, config, fresh) as folder:
        result = path / "result.nc"
        if result.exists():
            with contextlib.suppress(InputError):
                return open_dataset(result)
        began, blocks = time.monotonic(), []
        for i, block in enumerate(_blocks(settings, folder.load_block, report)):
            folder.save_block(i, block)
            blocks.append(block)
        dataset = _joined(settings, blocks)
        seconds = round(time.monotonic() - began, 2)
        write_json(path / "provenance.json", provenance(seed=settings.seed, seconds=seconds))
        save_dataset(dataset, result)
    return dataset


Block = dict[str, NDArray[Any]]


def _blocks(
    settings: Post, stored: Callable[[int], Block | None], report: Report
) -> Iterator[Block]:
    """Yield one block per seed and z, found or simulated."""
    cells = [(seed, z) for seed in _seeds(settings) for z in settings.n_active]
    found = {i: block for i in range(len(cells)) if (block := stored(i)) is not None}
    costs = [settings.n_samples(z) for _, z in cells]
    report.start(len(cells), sum(costs), sum(costs[i] for i in found))
    try:
        for i, (seed, n_active) in enumerate(cells):
            if i in found:
                yield found[i]
                continue
            yield _simulate(settings, seed, n_active)
            report.advance(costs[i])
    finally:
        report.finish()


def _seeds(settings: Post) -> range:
    return range(settings.seed, settings.seed + settings.n_seeds)


def _simulate(settings: Post, seed: int, n_active: int) -> Block:
    errors = simulate_rotations(
        jax.random.key(seed),
        n_circuits=settings.n_circuits,
        width=settings.width,
        redundancy=settings.redundancy,
        n_active=n_active,
        n_layers=settings.n_layers,
        n_samples=settings.n_samples(n_active),
        bias=settings.bias,
        inhibition=settings.inhibition,
        gain=settings.gain,
    )
    return vars(errors)


def _joined(settings: Post, blocks: list[Block]) -> xr.Dataset:
    dims = ("seed", "n_active", "layer", "block")
    shape = (settings.n_seeds, len(settings.n_active))
    variables = {}
    for name in blocks[0]:
        values = np.stack([block[name] for block in blocks])
        values = values.reshape(*shape, *values.shape[1:])
        variables[name] = (dims[: values.ndim], values)
    finite = np.isfinite(variables["mse_x_active"][1]).all(axis=2)
    variables["diverged"] = (dims[:2], (~finite).astype(np.int8))
    coordinates = {
        "seed": list(_seeds(settings)),
        "n_active": list(settings.n_active),
        "layer": np.arange(settings.n_layers + 1),
    }
    return xr.Dataset(variables, coordinates, {"config": as_json(NAME, settings)})


def with_means(dataset: xr.Dataset, *names: str) -> xr.Dataset:
    """Add `NAME_mean`, `NAME_low` and `NAME_high` over seeds, low and high a 95 % interval."""
    for name in names:
        found = mean_over_seeds(dataset, name)
        parts = ("mean", "low", "high")
        dataset = dataset.assign({f"{name}_{part}": found[part] for part in parts})
    return dataset


def describe(settings: Post) -> str:
    """Say what was run, for a caption."""
    many = [z for z in settings.n_active if z > 1]
    drawn = f"; z > 1: {settings.rounds}·T random sets" if many else ""
    changed = [
        f"{key} = {value:g}"
        for key, value in (("b", settings.bias), ("χ ×", settings.inhibition), ("k", settings.gain))
        if value != {"b": 1, "χ ×": 1, "k": 2}[key]
    ]
    networks = f"Mean of {settings.n_seeds} networks with its 95 % interval"
    networks = networks if settings.n_seeds > 1 else "One network"
    return (
        f"D = {settings.width}, T = {settings.n_circuits}, S = {settings.redundancy}"
        f"{''.join(', ' + text for text in changed)}. {networks}. "
        f"z = 1: every circuit active once{drawn}."
    )
