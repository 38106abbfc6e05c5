"""What `toymodels inspect --out` draws: one model at length, or a small picture of each of several.

The title says what the models are, from their numbers; the caption is the key to the colours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from figures.command.inspected import Inspected, described
from figures.kit import style
from figures.kit.caption import write_caption
from figures.kit.draw import draw_columns, draw_map, draw_norms
from sweeps.store import writing
from toymodels.errors import InputError
from toymodels.models.base import has_map

ENDINGS = (".png", ".pdf", ".svg")
MOST_PANELS = 24  # of small pictures
LARGEST_MAP = 400  # features of which a matrix of F × F points is drawn
PER_ROW = 6

BARS = "bars: length of each feature's direction Wᵢ, dark where it is orthogonal to all others, "
BARS += "yellow where the others together activate it as strongly as itself"


def check_ending(picture: Path) -> None:
    """Raise InputError for an ending that cannot be drawn."""
    if picture.suffix not in ENDINGS:
        raise InputError(f"--out {picture}: end it in .png, .pdf or .svg.")


def draw_models(picture: Path, source: Path, models: Sequence[Inspected]) -> None:
    """Draw models into a file."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with style.applied():
        figure, key = _one(models[0]) if len(models) == 1 else _several(models[:MOST_PANELS])
        attrs = {"claim": _title(models), "caption": f"{source.name}; {key}."}
        write_caption(figure, xr.Dataset(attrs=attrs))
        picture.parent.mkdir(parents=True, exist_ok=True)
        with writing(picture) as beside:
            figure.savefig(beside, format=picture.suffix[1:])
        plt.close(figure)


def _title(models: Sequence[Inspected]) -> str:
    if len(models) > 1:
        shown = f", {MOST_PANELS} of them drawn" if len(models) > MOST_PANELS else ""
        return described(models) + shown
    M, n = models[0].W.shape
    of = "features" if hasattr(models[0].model, "W") else "latents"
    size = f"{n:,} {of} in {M:,} dimension{'s' if M > 1 else ''}"
    represented = int(np.sum(models[0].measured["norm"] > 0.5))
    named = "" if models[0].shapes is None else f": {models[0].name}"
    return f"{size}, {represented:,} represented{named}"


def _map(m: Inspected) -> tuple[Any, Any, str]:
    """Return G, b and what G is called of a model y = f(G x + b); of another, its products."""
    for name in ("relu_map", "linear_map"):
        if has_map(m.model, name):
            G, b = getattr(m.model, name)()
            return np.asarray(G), np.asarray(b), "V W" if hasattr(m.model, "V") else "WᵀW"
    b = np.asarray(getattr(m.model, "b", np.zeros(m.n_features)))
    return m.W.T @ m.W, b if b.size == m.n_features else np.zeros(m.n_features), "WᵀW"


def _one(m: Inspected) -> tuple[Any, str]:
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    norm, share = m.measured["norm"], m.measured["superposition"]
    if m.n_features > LARGEST_MAP:
        return _histograms(m)
    n_panels = 3 if m.W.shape[0] == 2 else 2
    figure, axes = plt.subplots(1, n_panels, figsize=(3.3 * n_panels, 3.8))
    G, b, name = _map(m)
    gram, _ = draw_map(axes[0], G, b)
    axes[0].set_title(f"{name}, and b")
    figure.colorbar(gram, ax=axes[0], shrink=0.7)
    draw_norms(axes[1], norm, share)
    axes[1].set(title="‖Wᵢ‖", xlim=(0, max(1.35, 1.05 * norm.max())))
    axes[1].set(ylabel="feature")
    shades = ScalarMappable(Normalize(0, 1), style.SUPERPOSITION)
    figure.colorbar(shades, ax=axes[1], shrink=0.7, label="superposition", extend="max")
    if n_panels == 3:
        limit = max(1.5, 1.1 * float(norm.max()))
        draw_columns(axes[2], m.W, style.SUPERPOSITION(np.clip(share, 0, 1)), limit)
        axes[2].set_title("columns of W")
    return figure, f"left {name} and, beside it, b, red where positive, blue where negative; {BARS}"


def _histograms(m: Inspected) -> tuple[Any, str]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9.9, 3.4))
    for ax, name, words in zip(
        axes,
        ("norm", "superposition", "feature_dimensionality"),
        ("‖Wᵢ‖", "superposition", "dimensionality Dᵢ"),
        strict=True,
    ):
        ax.hist(m.measured[name], bins=60, color=style.BLUE)
        ax.set(xlabel=words, ylabel="features" if ax is axes[0] else "")
    return figure, "how many features have which length, superposition and share of a dimension"


def _several(models: Sequence[Inspected]) -> tuple[Any, str]:
    """Draw the columns of W where there are two dimensions, else the maps."""
    import matplotlib.pyplot as plt

    flat = all(len(m.W) == 2 for m in models)
    if not flat and max(m.n_features for m in models) > LARGEST_MAP:
        raise InputError(
            f"--out: {len(models)} models of {models[0].n_features} features are too much for one "
            "picture: select one with KEY=VALUE."
        )
    n_columns = min(PER_ROW, len(models))
    n_rows = -(-len(models) // n_columns)
    size = (1.9 * n_columns, 2.2 * n_rows + 0.8)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    limit = max(1.5, 1.1 * max(float(m.measured["norm"].max()) for m in models))
    for ax, m in zip(axes.flat, models, strict=False):
        if flat:
            share = np.clip(m.measured["superposition"], 0, 1)
            draw_columns(ax, m.W, style.SUPERPOSITION(share), limit)
        else:
            G, b, _ = _map(m)
            draw_map(ax, G, b)
        ax.set_title(m.label.replace(", ", "\n"), fontsize=7)
    for ax in axes.flat[len(models) :]:
        ax.set_visible(False)
    if flat:
        key = "columns of W, dark where a feature is orthogonal to all others, yellow where the "
        return figure, key + "others together activate it as strongly as itself"
    name = _map(models[0])[2]
    return (
        figure,
        f"{name} and b of each model, red where positive, blue where negative, ±1 at most",
    )
