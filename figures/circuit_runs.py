"""The run behind Figures 5 to 7 of the circuits' post: one kind of network, several z, over seeds.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6): D = 1000 neurons, T = 557
circuits, S = 6, one to three circuits active. There one network is shown; here several. With z = 1
every circuit is active once, otherwise 100 T random sets are drawn, as in the post. The figures
share one stored run.
"""

from typing import Any

import xarray as xr
from sweeps.circuits_config import CircuitsConfig, circuits_config

from figures.circuit_errors import means, run_axes
from figures.recipe import run_of

PRESET = "circuits-post"


def run_post(*names: str, **how: Any) -> xr.Dataset:
    """Run the preset, or take what is stored, and add means over seeds.

    Args:
        names: of the fields of `RotationErrors` that get `NAME_mean`, `NAME_low`, `NAME_high`.
        how: as in `run_preset`.

    Returns:
        The fields of `RotationErrors` over (seed, n_active, layer).

    Raises:
        InputError: as `run_preset`, and for an override that adds an axis.
    """
    dataset = run_axes(PRESET, ("active", "seed"), **how).swap_dims(active="n_active")
    z, n = (dataset[name].values for name in ("n_active", "n_samples"))
    config = config_of(dataset)
    dataset.attrs["caption"] = (
        f"D = {config.width}, T = {config.n_circuits}; examples of z = "
        f"{', '.join(map(str, z))}: {', '.join(f'{count:,}' for count in n)}; "
        f"{dataset.attrs['caption']}"
    )
    return dataset.merge(means(dataset, names).drop_vars("n"), combine_attrs="override")


def config_of(dataset: xr.Dataset) -> CircuitsConfig:
    """Return what all networks of the run share."""
    return circuits_config(run_of(dataset))
