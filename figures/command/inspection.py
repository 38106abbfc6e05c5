"""Measure a matrix of the user's own: the verb `toymodels inspect`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.draw import draw_columns, draw_gram, draw_norms
from sweeps.store import writing
from toymodels import geometry
from toymodels.errors import InputError

SHOWN = 40  # rows of the table at most


def read_matrix(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read `W [M, F]` and, where an archive has it, `b [F]` (else zeros).

    Raises:
        InputError: the file is missing, damaged, or holds no finite two-dimensional `W`.
    """
    try:
        content = np.load(path)
        arrays = dict(content.items()) if hasattr(content, "items") else {"W": content}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except Exception as error:  # numpy and zip raise many kinds for a file that is not theirs
        raise InputError(
            f"{path} cannot be read as .npy or .npz ({type(error).__name__}: {error}): "
            "save a matrix [hidden, features] with numpy.save."
        ) from None
    if "W" not in arrays and len(arrays) == 1:
        arrays = {"W": next(iter(arrays.values()))}
    if "W" not in arrays:
        raise InputError(f"{path} holds {', '.join(arrays)} but no W: name the matrix W.")
    W = arrays["W"]
    if W.ndim != 2 or W.size == 0 or W.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: W has shape {W.shape} and type {W.dtype}; give one real matrix "
            "[hidden, features], for example ds.W.sel(seed=0).values."
        )
    if not np.all(np.isfinite(W)):
        raise InputError(f"{path}: W holds NaN or infinity; a diverged model cannot be measured.")
    b = arrays.get("b", np.zeros(W.shape[1]))
    return W.astype(float), b.astype(float) if b.shape == W.shape[1:] else np.zeros(W.shape[1])


def inspect_file(path: Path, picture: Path | None = None) -> None:
    """Print what geometry says of a matrix, and draw it where a picture is wanted."""
    W, b = read_matrix(path)
    m, n = W.shape
    norm, superposition, dimensionality = (
        np.asarray(f(W.astype(np.float32)))
        for f in (
            geometry.feature_norms,
            geometry.superposition,
            geometry.feature_dimensionality,
        )
    )
    represented = int(geometry.n_represented(W))
    print(f"{path}: W [hidden, features] = [{m}, {n}], rank {np.linalg.matrix_rank(W)}")
    print(f"  represented features (norm > 0.5)         {represented}")
    print(f"  of them dedicated (superposition < 0.1)   {int(geometry.n_dedicated(W))}")
    print(f"  dimensions per feature m/|W|^2            {geometry.dimensions_per_feature(W):.4f}")
    print(f"  sum of feature dimensionalities           {dimensionality.sum():.4f}")
    if n > m:
        print(f"  more features than dimensions: {'yes' if represented > m else 'no'}")
    _print_shapes(W)
    print("feature      norm  superposition  dimensionality")
    for i in range(min(n, SHOWN)):
        print(f"{i:>7}  {norm[i]:>8.4f}  {superposition[i]:>13.4f}  {dimensionality[i]:>14.4f}")
    if n > SHOWN:
        print(f"… and {n - SHOWN} more; --out FILE.png draws them all")
    if picture is not None:
        _draw(W, b, norm, superposition, picture)
        print(f"picture: {picture}")


def _print_shapes(W: NDArray) -> None:
    """Print the groups of features that interact, and the polytope each is nearest to."""
    found = geometry.components(W)
    whole = geometry.joined_name(found)
    together = f"  (together: {whole})" if whole else ""
    print(f"  shapes                                    {geometry.name_arrangement(W)}{together}")
    if found:
        print("shape             rank  distance  features")
    for shape in found[:SHOWN]:
        features = [str(i) for i in shape.features[:SHOWN]]
        more = ["…"] if len(shape.features) > SHOWN else []
        print(f"{shape.name:<16}  {shape.rank:>4}  {shape.distance:>8.4f}  ", end="")
        print(" ".join([*features, *more]))
    if len(found) > SHOWN:
        print(f"… and {len(found) - SHOWN} more shapes")


def _draw(W: NDArray, b: NDArray, norm: NDArray, share: NDArray, picture: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    if picture.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"--out {picture}: end it in .png, .pdf or .svg.")
    with plt.rc_context(style.paper()):
        n_panels = 3 if W.shape[0] == 2 else 2
        figure, axes = plt.subplots(1, n_panels, figsize=(3.3 * n_panels, 3.4))
        gram, _ = draw_gram(axes[0], W, b)
        axes[0].set_title("WᵀW, and b")
        figure.colorbar(gram, ax=axes[0], shrink=0.7)
        draw_norms(axes[1], norm, share)
        axes[1].set(title="‖Wᵢ‖, by superposition", xlim=(0, max(1.35, 1.05 * norm.max())))
        if n_panels == 3:
            limit = max(1.5, 1.1 * float(norm.max()))
            draw_columns(axes[2], W, style.SUPERPOSITION(np.clip(share, 0, 1)), limit)
            axes[2].set_title("columns of W")
        with writing(picture) as beside:
            figure.savefig(beside, format=picture.suffix[1:])
        plt.close(figure)
