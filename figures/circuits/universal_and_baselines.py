"""What trained networks for all pairwise ANDs are compared with: fitted read-outs of other neurons.

Each family of first layers has one number that is chosen as what errs least: the sparse
construction the neurons S of a feature, random weights the threshold of a neuron.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr

from toymodels.circuits.constructions import and_read_outs as read_outs
from toymodels.circuits.constructions.universal_and import neurons, universal_and

OWN, SPARSE, GAUSSIAN, BINARY, LINEAR = (
    "construction, own read-out",
    "construction, fitted",
    "random normal weights, fitted",
    "random ± weights, fitted",
    "inputs themselves, fitted",
)
FAMILIES = (OWN, SPARSE, GAUSSIAN, BINARY, LINEAR)
ERRORS = ("error", "error_on", "error_off", "read_right")

Layer = Callable[[Any], Any]  # features [m, B] -> neurons [n, B]


def examples(dataset: xr.Dataset, n_active: int, seed: int) -> np.ndarray:
    """Return the examples `[m, B]` that everything is evaluated, or fitted, on."""
    key = jax.random.key(seed)
    return read_outs.examples_of_and(key, dataset.sizes["feature"], n_active, int(dataset["most"]))


def baselines(dataset: xr.Dataset, n: int, n_active: int) -> xr.Dataset:
    """Return what n neurons of each family do, (family, seed), and `chosen`, (family).

    Chosen is what errs least in the first network. Read-outs are fitted on some examples and
    evaluated on others, unless they are all there are.
    """
    fitted_on, tested_on = (examples(dataset, n_active, seed) for seed in (1, 0))
    found = {name: np.full((len(FAMILIES), dataset.sizes["seed"]), np.nan) for name in ERRORS}
    chosen = np.full(len(FAMILIES), np.nan)
    for i, family in enumerate(FAMILIES):
        run = partial(_errors, family, n, fitted_on=fitted_on, tested_on=tested_on)
        first, *others = dataset["seed"].values.tolist()
        of = {value: run(value=value, seed=first) for value in _values(dataset, family)}
        chosen[i] = min(of, key=lambda value: of[value]["error"])
        rest = [] if family == LINEAR else [run(value=chosen[i], seed=seed) for seed in others]
        every = [of[chosen[i]], *(rest or [of[chosen[i]]] * len(others))]
        for name, values in found.items():
            values[i] = [one[name] for one in every]
    arrays = {name: (("family", "seed"), values) for name, values in found.items()}
    coords = {"family": list(FAMILIES), "seed": dataset["seed"].values}
    return xr.Dataset(arrays | {"chosen": ("family", chosen)}, coords)


def errors_of(answers: Any, truth: Any) -> dict[str, float]:
    """Return the mean squared errors of answers `[O, B]`, and the share of ANDs read right."""
    on, off = read_outs.balanced_error(answers, truth)
    right = np.all((answers > 0.5) == (truth > 0), axis=1)
    found = {"error": (on + off) / 2, "error_on": on, "error_off": off, "read_right": right.mean()}
    return {name: float(found[name]) for name in ERRORS}


def _values(dataset: xr.Dataset, family: str) -> Sequence[float]:
    """Return what the number of a family is chosen from."""
    if family in (OWN, SPARSE):
        return dataset["densities"].values.tolist()
    return [0.0] if family == LINEAR else dataset["thresholds"].values.tolist()


def _errors(
    family: str, n: int, *, value: float, seed: int, fitted_on: Any, tested_on: Any
) -> dict[str, float]:
    """Return the errors of one network of a family."""
    truth, m = read_outs.ands_of(tested_on), len(tested_on)
    layer: Layer = partial(np.asarray, dtype=np.float32)
    if family in (OWN, SPARSE):
        gate = universal_and(jax.random.key(seed), m, n, neurons_of(value, n))
        layer = partial(neurons, gate)
        if family == OWN:
            read_out = read_outs.own_read_out(gate)
            return errors_of(read_out @ read_outs.with_one(layer(tested_on)), truth)
    if family in (GAUSSIAN, BINARY):
        W = np.random.default_rng([seed, n]).standard_normal((n, m), np.float32)
        W = np.sign(W) if family == BINARY else W
        layer = partial(_random_layer, W, np.float32(value * tested_on[:, 0].sum() ** 0.5))
    read_out = read_outs.fitted_read_out(layer(fitted_on), read_outs.ands_of(fitted_on))
    return errors_of(read_out @ read_outs.with_one(layer(tested_on)), truth)


def neurons_of(density: float, n: int) -> int:
    """Return S, the neurons of a feature, for a density S / n."""
    return max(1, round(density * n))


def _random_layer(W: Any, threshold: Any, features: Any) -> Any:
    return np.maximum(W @ features - threshold, 0)


def joined(parts: dict[str, xr.Dataset], dataset: xr.Dataset) -> xr.Dataset:
    """Return the baselines of every setting, `(setting, family, seed)`."""
    cells = zip(dataset["n_hidden"].values, dataset["n_active"].values, strict=True)
    return xr.concat([parts[name_of(n, s)] for n, s in cells], "setting", join="exact")


def name_of(n: int, n_active: int) -> str:
    """Return what the part of a width and a number of active features is called."""
    return f"{int(n)}-neurons-{int(n_active)}-on"
