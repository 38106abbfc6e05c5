"""From a file, or a dictionary of arrays, to models."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from toymodels.errors import InputError
from toymodels.interop.base import (
    Arrays,
    Layout,
    Reading,
    check_orientation,
    leaves_in,
    own_axes,
    sizes_in,
    transposed,
)
from toymodels.interop.files import load
from toymodels.interop.layouts import named, recognised, without
from toymodels.interop.own import NAMES, UNREAD
from toymodels.models.autoencoders import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder


def read(
    source: str | Path | Mapping[str, Any],
    layout: str | None = None,
    *,
    transpose: bool = False,
    linear: bool = False,
) -> Reading:
    """Read the models in a file, or in a dictionary of arrays such as a state dict.

    A pickle (`.pt`, `.pth`) is never loaded. An untied model whose decoder is the transpose of its
    encoder comes back as the tied one that it is.

    Args:
        source: a `.npy`, `.npz` or `.safetensors` file, a folder of SAELens, or arrays by name.
        layout: whose names they are: a name of `LAYOUTS`; by default it is recognised.
        transpose: whether rows and columns of every matrix stand the other way round.
        linear: whether the models have no ReLU.

    Raises:
        InputError: no such file, a pickle, no layout that fits or several, arrays that do not fit
            together, or a lone matrix with more rows than columns: which way it lies is asked.
    """
    if isinstance(source, Mapping):
        arrays, about = {str(name): np.asarray(a) for name, a in source.items()}, {}
    else:
        arrays, about = load(Path(source))
    chosen, arrays, start = _chosen(arrays, layout or _text(about.get("layout")))
    notes = [f"all names begin with {start!r}"] if start else []
    if transpose:
        arrays = transposed(chosen, arrays)
    arrays, more = chosen.fold(arrays, about)
    leaves = leaves_in(chosen, arrays)
    sizes = sizes_in(chosen, arrays) or {}
    said = transpose or layout is not None or "layout" in about
    notes += more + check_orientation(chosen, arrays, sizes, said)
    each = _about_each(arrays, about, next(iter(leaves.values())).shape[0])
    kind = _kind(chosen, each[0].get("model"))
    if kind is LinearAutoencoder:
        kind, linear = chosen.model, True
    missing = [f"no {chosen.leaves[n].name}: {n} = 0" for n in chosen.leaves if n not in leaves]
    models = tuple(_model(kind, leaves, i) for i in range(len(each)))
    if linear:
        models = tuple(_without_relu(model) for model in models)
    return Reading(chosen.name, models, each, tuple(notes + missing + _unread(chosen, arrays)))


def _chosen(arrays: Arrays, layout: str | None) -> tuple[Layout, Arrays, str]:
    """Return the layout, the arrays by its own names, and what stood before those."""
    if len(arrays) == 1 and layout in (None, "toymodels"):
        (only,) = arrays.values()
        if only.ndim in (2, 3):
            return named("toymodels")[1], {"W": only}, ""
    if layout is None:
        found, start = recognised(arrays)
        return found, without(start, arrays), start
    choices = named(layout)
    for choice in choices:
        fit = choice.recognises(set(arrays))
        if fit is not None:
            return choice, without(fit[1], arrays), fit[1]
    return choices[-1 if len(choices) == 1 else 0], arrays, ""


def _kind(layout: Layout, name: Any) -> type:
    """Return the class of a file's models; `name` is what the file calls it."""
    if name in UNREAD:
        raise InputError(
            f"model = {name!r}: no layout holds the biases of its neurons, so it is not read; "
            "build the model yourself from the arrays W, V, b and c."
        )
    by_name = dict(NAMES) | {cls.__name__: cls for cls in NAMES.values()}
    kind = by_name.get(name, layout.model)
    linear = kind is LinearAutoencoder and layout.may_be_linear
    return kind if linear or kind in (layout.model, *layout.kinds) else layout.model


def _model(kind: type, leaves: Arrays, i: int) -> Any:
    values = {name: jnp.asarray(a[i]) for name, a in leaves.items()}
    size = {
        axis: n
        for name, axes in own_axes(kind).items()
        if name in values
        for axis, n in zip(axes, values[name].shape, strict=True)
    }
    for name, axes in own_axes(kind).items():
        values.setdefault(name, jnp.zeros([size[axis] for axis in axes]))
    model = kind(**values)
    if kind is UntiedAutoencoder and bool(jnp.array_equal(model.V, model.W.T)):
        return ReluAutoencoder(W=model.W, b=model.b)
    return model


def _without_relu(model: Any) -> Any:
    if isinstance(model, LinearAutoencoder) and type(model) in (LinearAutoencoder, ReluAutoencoder):
        return LinearAutoencoder(W=model.W, b=model.b)
    raise InputError(
        f"linear: there is no linear model with the weights of {type(model).__name__}; only a tied "
        "one, y = Wᵀ W x + b."
    )


def _about_each(arrays: Arrays, about: Mapping[str, Any], n: int) -> tuple[dict[str, Any], ...]:
    """Return what a sidecar, or the file itself, says of each of `n` models."""
    each = about.get("models")
    if isinstance(each, list) and len(each) == n and all(isinstance(a, dict) for a in each):
        shared = {k: v for k, v in about.items() if k in ("model", "features")}
        return tuple(shared | a for a in each)
    inside: dict[str, Any] = {}
    for name in ("p_active", "importance"):
        if name in arrays:
            inside[name] = np.asarray(arrays[name], float).tolist()
    if "firing_probabilities" in arrays:
        inside["p_active"] = np.asarray(arrays["firing_probabilities"], float).tolist()
        inside["features"] = "ReLU(normal) values"
    return tuple(inside | _of_config(arrays) for _ in range(n))


def _of_config(arrays: Arrays) -> dict[str, Any]:
    """Return what the config says that `sweeps.export_npz` writes into a file."""
    try:
        at = json.loads(str(arrays["config"]))
        run = json.loads(at.pop("sweep"))["run"]
        given = {k.rpartition(".")[2]: v for k, v in run.items()} | run.get("features", {}) | at
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    found = {key: given[key] for key in ("model", "seed") if key in given}
    kind, values = given.get("kind", "independent"), given.get("values", "uniform")
    if (kind, values, given.get("task", "reconstruction")) != PLAIN:
        found["features"] = f"{kind}, {values}"
    return found


PLAIN = ("independent", "uniform", "reconstruction")


def _unread(layout: Layout, arrays: Arrays) -> list[str]:
    known = {leaf.name for leaf in layout.leaves.values()}
    known |= {"p_active", "importance", "config", "firing_probabilities"}
    left = [name for name in arrays if name not in known]
    return [f"not read: {', '.join(left)}"] if left else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
