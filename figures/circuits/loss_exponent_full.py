"""Full-size runs that are kept: what takes minutes of a GPU, and hours without one.

F = 100, N = 50, p = 0.02, 100,000 steps of 8,192 examples, as Ferreira da Silva & Heimersheim
(arXiv 2607.04800) trained; then more steps at each power as it rises or falls. The file says when,
on what and how many, `tests/data/make_loss_exponent_full.py` makes it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FILE = Path(__file__).with_suffix(".json")

# What the source reports of that size: mean and spread of active features' errors.
PUBLISHED = {"exponent": (2.0, 2.5, 4.0), "mse": (0.159, 0.0478, 0.0219)}
PUBLISHED |= {"spread": (1.00, 0.027, 0.031)}

WAYS = ("scratch", "up", "down")


def read() -> dict[str, Any]:
    """Return the file: the sizes, when it was made, and a row for each power and way."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def full_size() -> xr.Dataset:
    """Return `full_spread` and `full_mse` (full_way, full_exponent, full_seed), else NaN."""
    kept = read()
    powers = sorted({row["exponent"] for row in kept["rows"]})
    shape = (len(WAYS), len(powers), kept["seeds"])
    found = {name: np.full(shape, np.nan, np.float32) for name in ("spread", "mse")}
    for row in kept["rows"]:
        at = WAYS.index(row["way"]), powers.index(row["exponent"])
        for name, values in found.items():
            values[at] = row[name]
    for name, ways in (("steps", WAYS[:1]), ("path_steps", WAYS[1:])):
        kept[name] = min(row["steps"] for row in kept["rows"] if row["way"] in ways)
    over = ("full_way", "full_exponent", "full_seed")
    sizes = ("n_features", "n_hidden", "p_active", "batch_size", "date", "steps", "path_steps")
    return xr.Dataset(
        {f"full_{name}": (over, values) for name, values in found.items()},
        {"full_way": list(WAYS), "full_exponent": powers}
        | {f"full_{name}": kept[name] for name in sizes},
    )
