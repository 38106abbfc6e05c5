"""Measure models of the user's own: the verb `toymodels inspect`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from figures.command.inspected import Inspected
from figures.command.inspection_picture import check_ending, draw_models
from figures.command.inspection_report import Asked, print_models
from sweeps.config import toml
from sweeps.store import open_dataset
from sweeps.stored_models import bases, stored_models
from toymodels.errors import InputError
from toymodels.interop.reading import read
from toymodels.profiles import profile_values

RESULT = ".nc"


@dataclass(frozen=True)
class Wanted:
    """How a file is to be read, and what is asked about it; texts as they were typed."""

    layout: str | None = None
    transpose: bool = False
    linear: bool = False
    p: str | None = None
    importance: str | None = None
    picture: Path | None = None
    selection: tuple[str, ...] = ()


def inspect_file(path: Path, wanted: Wanted) -> None:
    """Print what is known of the models in a file, and draw them where a picture is wanted."""
    if wanted.picture is not None:
        check_ending(wanted.picture)
    found, notes = _models(path, wanted)
    bare = next((m for m in found if not m.has_directions), None)
    if bare is not None:
        raise InputError(
            f"{path}: {type(bare.model).__name__} has no matrix W [hidden, features] to measure."
        )
    finite = [m for m in found if m.finite]
    if not finite:
        raise InputError(
            f"{path}: the weights hold NaN or infinity; a diverged model cannot be measured."
        )
    asked = [_asked(m, i, len(found), wanted) for i, m in enumerate(found)]
    print_models(path, found, asked, notes)
    if wanted.picture is not None:
        draw_models(wanted.picture, path, finite)
        print(f"picture: {wanted.picture}")


def _models(path: Path, wanted: Wanted) -> tuple[list[Inspected], list[str]]:
    """Return the selected models of a file, and what is to be said about the reading."""
    at = selected(wanted.selection)
    if path.suffix == RESULT:
        if wanted.layout or wanted.transpose or wanted.linear:
            raise InputError(
                f"{path}: a result says itself what it is: leave --as, --transpose and --linear."
            )
        dataset = open_dataset(path)
        stored = stored_models(dataset, *bases(dataset, path.parent), **at)
        axes = [k for k in stored[0].at if len({str(s.at[k]) for s in stored}) > 1]
        return [
            Inspected(s.model, ", ".join(f"{k} = {_short(s.at[k])}" for k in axes), s.about)
            for s in stored
        ], []
    reading = read(path, wanted.layout, transpose=wanted.transpose, linear=wanted.linear)
    n = len(reading.models)
    which = at.pop("instance", None)
    if at or not (which is None or (isinstance(which, int) and 0 <= which < n)):
        raise InputError(
            f"{' '.join(wanted.selection)}: {path} has {n} models: choose by instance=0 to {n - 1}."
        )
    labels = [f"instance {i}" if n > 1 else "" for i in range(n)]
    every = map(Inspected, reading.models, labels, reading.about)
    notes = [f"layout {reading.layout}", *reading.notes]
    return [m for i, m in enumerate(every) if which in (None, i)], notes


def _asked(model: Inspected, i: int, n: int, wanted: Wanted) -> Asked:
    """Return the problem of one of `n` models: what is typed, else what the file says."""
    n_features = model.n_features
    p = _typed("--p", wanted.p, i, n, n_features)
    importance = _typed("--importance", wanted.importance, i, n, n_features)
    other = model.about.get("features") if p is None else None
    return Asked(
        model.about.get("p_active") if p is None else p,
        model.about.get("importance", 1.0) if importance is None else importance,
        other,
    )


def _typed(option: str, text: str | None, i: int, n: int, n_features: int) -> Any:
    """Return what an option says of model i of n: a number, a list or the table of a profile.

    Of a list of n numbers, where n is not the number of features, each is one model's.
    """
    if text is None:
        return None
    value = toml.read(text)
    if isinstance(value, str):
        value = toml.read(f"[{text}]")
    if isinstance(value, list) and len(value) == n > 1:
        if n == n_features:
            raise InputError(
                f"{option} {text}: {n} numbers for {n} models of {n_features} features: select one "
                "with instance=0, or give one number."
            )
        value = value[i]
    plain = np.asarray(value).dtype.kind in "fiu" if not isinstance(value, dict) else True
    if not plain or isinstance(value, bool):
        raise InputError(
            f"{option} {text}: give a number, a list such as [1, 0.5], or a profile such as "
            "'{ ratio = 0.9 }'."
        )
    return profile_values(value, n_features, option)


def export_request(names: tuple[str, ...]) -> tuple[str, dict[str, Any], str]:
    """Return the result, the selection and the file to write, from what was typed after `export`.

    Raises:
        InputError: it is not one result, KEY=VALUE …, and one file.
    """
    result, *rest = names or ("",)
    outs = [name for name in rest if "=" not in name]
    if len(outs) != 1 or not result:
        raise InputError(
            "export takes a result, then KEY=VALUE of what is selected, and one file to write: "
            "toymodels export out/mine.nc --as notebook seed=0 mine.npz"
        )
    return result, selected([name for name in rest if "=" in name]), outs[0]


def selected(texts: Sequence[str]) -> dict[str, Any]:
    """Return coordinates from texts such as `seed=0`.

    Raises:
        InputError: a text without "=".
    """
    at = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"{text!r}: select as KEY=VALUE, such as seed=0.")
        at[name.strip()] = toml.read(value)
    return at


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
