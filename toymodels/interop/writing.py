"""From models to a file that another program loads, with a sidecar that says what they are."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.interop.base import Arrays, Layout, own_axes
from toymodels.interop.files import save, sidecar
from toymodels.interop.layouts import named
from toymodels.interop.sae_lens import (
    CONFIGS,
    Embedding,
    config_of_dictionary,
    config_of_synthetic,
)
from toymodels.models.autoencoders import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder


def write(
    path: str | Path,
    models: Any | Sequence[Any],
    layout: str,
    about: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
) -> list[Path]:
    """Write models in a layout and, beside them, `NAME.npz.json` with what is said about them.

    A tied model becomes an untied layout's with V = Wᵀ. Several models stand on a first axis, where
    the layout has one.

    Args:
        path: ends in `.npz` or `.safetensors`; a folder for "sae-lens".
        models: one, or several of one class and size.
        layout: a name of `LAYOUTS`.
        about: of each model: p_active, importance, loss, seed and whatever JSON holds.

    Returns:
        The files that were written.

    Raises:
        InputError: an unknown layout or ending, models that the layout cannot hold, or several
            where it holds one.
    """
    several = list(models) if isinstance(models, list | tuple) else [models]
    said = [dict(about)] if isinstance(about, Mapping) else [dict(a) for a in about]
    said = said or [{} for _ in several]
    if not several or len(said) != len(several):
        raise InputError(f"{len(several)} models with {len(said)} descriptions: give one of each.")
    chosen = _layout_for(layout, several)
    arrays = _stacked(chosen, several)
    side = {
        "layout": layout,
        "toymodels": version("toymodels"),
        "model": type(several[0]).__name__,
        "models": said,
    }
    if chosen.file is None:
        path = Path(path)
        save(path, arrays)
        files = [path, _write_json(sidecar(path), side)]
    else:
        files = _write_folder(Path(path), chosen, arrays, side)
    return files


def _layout_for(name: str, models: Sequence[Any]) -> Layout:
    """Return the layout of a name that holds models of a class; errors as `write`."""
    kinds = {type(model) for model in models}
    if len(kinds) > 1:
        raise InputError(
            f"models of {len(kinds)} classes, {', '.join(sorted(k.__name__ for k in kinds))}: "
            "write them one by one."
        )
    (kind,) = kinds
    for layout in named(name):
        if _holds(layout, kind):
            if len(models) > 1 and layout.n_models == "one":
                raise InputError(
                    f"{name} holds one model, here are {len(models)}: select one cell, as "
                    "seed=0 does, or take a layout with an axis for them, such as notebook."
                )
            return layout
    raise InputError(
        f"the layout {name!r} has no place for a {kind.__name__}: its program computes another "
        "function. toymodels holds every model of ours."
    )


def _holds(layout: Layout, kind: type) -> bool:
    if kind in (layout.model, *layout.kinds):
        return True
    tied = kind is ReluAutoencoder or (kind is LinearAutoencoder and layout.may_be_linear)
    embeds = layout.model is Embedding and kind in (
        ReluAutoencoder,
        LinearAutoencoder,
        UntiedAutoencoder,
    )
    return embeds or (tied and layout.model is UntiedAutoencoder and layout.name != "toymodels")


def _stacked(layout: Layout, models: Sequence[Any]) -> Arrays:
    """Return the arrays of a layout; a first axis over models where it has one and they are many.

    The layouts with an instance axis always have it; ours has it for several models alone.
    """
    ours = own_axes(layout.model)
    arrays = {}
    for name, leaf in layout.leaves.items():
        values = [np.asarray(_leaf(model, name), np.float32) for model in models]
        if len({v.shape for v in values}) > 1:
            raise InputError(
                f"models of different sizes, {name} {sorted({v.shape for v in values})}: write "
                "them one by one."
            )
        order = [ours[name].index(axis) for axis in leaf.axes]
        turned = np.stack([np.transpose(v, order) for v in values])
        single = layout.n_models == "one" or (layout.name == "toymodels" and len(models) == 1)
        arrays[leaf.name] = turned[0] if single else turned
    return arrays


def _leaf(model: Any, name: str) -> Any:
    if name == "V" and not hasattr(model, "V"):
        return model.W.T
    if name == "c" and not hasattr(model, "c"):
        return np.zeros(model.W.shape[0])
    return model.directions() if name == "D" else getattr(model, name)


def _write_folder(folder: Path, layout: Layout, arrays: Arrays, side: dict[str, Any]) -> list[Path]:
    """Write a folder as SAELens does, with our sidecar in it."""
    if folder.suffix in (".npz", ".safetensors", ".npy"):
        raise InputError(f"{folder}: {layout.name} is a folder, so give a name without an ending.")
    assert layout.file is not None
    if layout.model is Embedding:
        F, M = arrays["feature_vectors"].shape
        config, density = _synthetic(side, M, F)
        arrays = arrays | {"firing_probabilities": density}
    else:
        config = config_of_dictionary(*arrays["W_enc"].shape)
    save(folder / layout.file, arrays)
    return [
        folder / layout.file,
        _write_json(folder / CONFIGS[layout.file], config),
        _write_json(sidecar(folder / layout.file), side),
    ]


def _synthetic(side: dict[str, Any], M: int, F: int) -> tuple[dict[str, Any], Any]:
    said = side["models"][0]
    if "p_active" not in said:
        raise InputError("a SyntheticModel makes data: say with which density, about.p_active.")
    if "features" in said:
        raise InputError(
            f"a SyntheticModel has independent, positive features; these are {said['features']}."
        )
    density = np.full(F, said["p_active"], np.float32)
    said["values"] = "ReLU(normal) of the mean and standard deviation of uniform values"
    return config_of_synthetic(M, F, float(density.mean())), density


def _write_json(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2, default=_plain) + "\n", encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist()
