"""F39: the asymmetric motif, found by its rule and counted against chance.

Elhage et al. 2022, "Computation in Superposition". The rule is that of
`toymodels.measures.asymmetric`; by how much a model has more of it than chance says a null: the
same weights in other places, which have the same sizes and signs.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, panels
from figures.kit.words import counted, rounded
from figures.toy_models import computation_panels as paint
from sweeps.stats import mean_over_seeds
from toymodels.measures import asymmetric
from toymodels.measures.asymmetric import Motif, asymmetric_motifs
from toymodels.measures.balanced import rescaled_neurons

CELLS = ("p_active", "seed")
SHUFFLES = 10  # of the weights of each model
CIRCUITS = 2  # drawn
PARTS = Motif._fields
MOSAIC = [["stacks", "stacks", "counts"], ["circuit 0", "circuit 1", "typical"]]

# What the analysis' own variables are.
WORDS = {
    "n_motifs": "asymmetric motifs of each model, -1 where it diverged",
    "average": "mean number of motifs of a model",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "chance": "mean number of motifs with the features of each neuron shuffled",
    "motif": "motifs that are drawn, NaN where there are fewer",
    "typical": "medians of the ratio, of what is undone, and products of weights, over all motifs",
    "drawn_density": "density of the model that is drawn, NaN where all diverged",
    "drawn_seed": "its seed",
    "W_drawn": "its weights into the neurons",
    "V_drawn": "its weights out of the neurons",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Count motifs of every model and of its shuffled weights; keep one model and its clearest.

    Drawn is, at the density with most motifs on average, the model of least ranking loss among
    those with motifs in two neurons, or in as many as there are.
    """
    found, chance, all_motifs = _search(dataset)
    result = dataset.assign(n_motifs=(CELLS, found))
    counted_over = mean_over_seeds(result, "n_motifs")
    for name in ("average", "low", "high"):
        result[name] = counted_over[name]
    result["chance"] = mean_over_seeds(result.assign(null=(CELLS, chance)), "null").average
    return _with_drawn(result, all_motifs)


def _search(dataset: xr.Dataset) -> tuple[np.ndarray, np.ndarray, dict]:
    """Return counts over (p_active, seed), the same of shuffled weights, and the motifs."""
    W, V = (dataset[k].transpose(*CELLS, ...).values for k in ("W", "V"))
    lost = (dataset["diverged"] != 0).transpose(*CELLS).values
    found, chance, motifs = np.full(lost.shape, -1), np.full(lost.shape, np.nan), {}
    rng = np.random.default_rng(0)
    for at in map(tuple, np.argwhere(~lost)):
        motifs[at] = asymmetric_motifs(W[at], V[at])
        found[at] = len(motifs[at])
        shuffled = (_shuffled(rng, W[at], V[at]) for _ in range(SHUFFLES))
        chance[at] = np.mean([len(asymmetric_motifs(w, v)) for w, v in shuffled])
    return found, chance, motifs


def _shuffled(
    rng: np.random.Generator, W: np.ndarray, V: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give each neuron's features other names: weights in and out of it stay together."""
    order = rng.permuted(np.tile(np.arange(W.shape[1]), (len(W), 1)), axis=1)  # [M, F]
    return np.take_along_axis(W, order, 1), np.take_along_axis(V, order.T, 0)


def _with_drawn(result: xr.Dataset, motifs: dict) -> xr.Dataset:
    """Add the model that is drawn, its clearest motifs, and what is typical of all."""
    size = (result.sizes["hidden"], result.sizes["feature"])
    W, V, part = np.full(size, np.nan), np.full(size[::-1], np.nan), np.full((CIRCUITS, 7), np.nan)
    density, seed = np.nan, -1
    if motifs:
        i = int(np.argmax(result["average"].fillna(-1).values))
        loss = result["loss_ranking"].transpose(*CELLS).values
        of = {k: len({m.neuron for m in found}) for k, found in motifs.items() if k[0] == i}
        at = min(of, key=lambda k: (-min(of[k], CIRCUITS), loss[k]))
        cell = result.isel(p_active=at[0], seed=at[1])
        W, V = cell["W"].transpose("hidden", ...).values, cell["V"].transpose("feature", ...).values
        density, seed = float(cell["p_active"]), int(cell["seed"])
        for row, motif in enumerate(_clearest(W, V, motifs[at])):
            part[row] = motif
    result["W_drawn"], result["V_drawn"] = (("hidden", "feature"), W), (("feature", "hidden"), V)
    result["drawn_density"], result["drawn_seed"] = density, seed
    result["motif"] = (("circuit", "part"), part)
    every = [m for found in motifs.values() for m in found]
    result["typical"] = ("quantity", _typical(every))
    names = ["ratio", "interference", "inhibition"]
    return result.assign_coords(part=list(PARTS), quantity=names)


def _clearest(W: np.ndarray, V: np.ndarray, motifs: list[Motif]) -> list[Motif]:
    """Return the motifs, of different neurons, whose products of weights are nearest to 1."""

    def off(motif: Motif) -> float:
        k, held = motif.neuron, [motif.strong, motif.weak]
        return float(np.max(np.abs(np.abs(W[k, held]) * V[held, k] - 1)))

    best: dict[int, Motif] = {}
    for motif in sorted(motifs, key=off):
        best.setdefault(motif.neuron, motif)
    return list(best.values())[:CIRCUITS]


def _typical(motifs: list[Motif]) -> np.ndarray:
    """Return medians over motifs of the ratio, the interference and the inhibition."""
    if not motifs:
        return np.full(3, np.nan)
    return np.median([(m.ratio, m.interference, m.inhibition) for m in motifs], axis=0)


def claim(dataset: xr.Dataset) -> str:
    """Say how many motifs a model has, and how many its shuffled weights have."""
    mean, n = dataset["average"].values, dataset.sizes["hidden"]
    if np.all(np.isnan(mean)):
        return "Every run diverged"
    i, least = int(np.nanargmax(mean)), int(np.nanargmin(mean))
    p = dataset["p_active"].values
    if mean[i] == 0:
        return f"No model of {counted(n, 'neuron')} has an asymmetric motif at any density"
    text = f"A model of {counted(n, 'neuron')} has {rounded(mean[i])} asymmetric motifs at density "
    text += f"{p[i]:g}, {rounded(dataset['chance'][i])} with each neuron's features shuffled"
    if mean[least] < mean[i] / 2:
        return f"{text}, and {rounded(mean[least])} at {p[least]:g}"
    return text


def caption(dataset: xr.Dataset) -> list[str]:
    """State the rule, what is drawn, and what the paper leaves open."""
    drawn = f"density {float(dataset['drawn_density']):g}, seed {int(dataset['drawn_seed'])}"
    drawn = "nothing" if np.isnan(dataset["drawn_density"].values) else drawn
    return [
        f"motif: a neuron reads two features with weights of ratio above {asymmetric.RATIO:g} and "
        f"gives either back (weight in × weight out = 1 ± {asymmetric.TOLERANCE:g}), and a second "
        "neuron, on with the stronger one, undoes at least "
        f"{asymmetric.CANCELLED:.0%} of what it adds to the weaker one's output",
        f"drawn: {drawn}; in circuits the shared neuron is rescaled so that its two weights "
        "multiply to ±1",
        "the paper states neither the number of features and neurons nor the density; these are "
        f"ours; bars: 95 % intervals over seeds, chance: {SHUFFLES} shuffles of each model",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the stacks of one model, two of its circuits, the typical motif, and the counts."""
    size = {"figsize": (10.6, 6.0), "height_ratios": [1, 0.85]}
    figure, panel = panels(axes, MOSAIC, **size)
    W, V = dataset["W_drawn"].values, dataset["V_drawn"].values
    colors = style.IMPORTANCE(np.linspace(0.95, 0.05, W.shape[1]))
    rescaled = W if np.isnan(W).any() else np.asarray(rescaled_neurons(W, V).W)
    paint.draw_stacks(panel["stacks"], rescaled, colors)
    title = f"weights into the neurons, density {float(dataset['drawn_density']):g} (bright: the "
    title = "all runs diverged" if np.isnan(W).any() else f"{title}most important feature)"
    panel["stacks"].set(title=title, xlabel="neuron", ylabel="weight, largest ±1")
    panel["stacks"].set_xticks(range(len(W)), [str(k + 1) for k in range(len(W))])
    for row in range(CIRCUITS):
        _draw_circuit(panel[f"circuit {row}"], dataset, row)
    _draw_typical(panel["typical"], dataset["typical"].values)
    _draw_counts(panel["counts"], dataset)
    return figure


def _draw_circuit(ax: Axes, dataset: xr.Dataset, row: int) -> None:
    """Draw the two neurons and two features of a motif with their weights."""
    motif = dataset["motif"].values[row]
    if np.isnan(motif).any():
        ax.set_axis_off()
        ax.set_title("no other motif" if row else "no motif")
        return
    k, a, b, other = (int(i) for i in motif[:4])
    W = dataset["W_drawn"].values[np.ix_([k, other], [a, b])]
    V = dataset["V_drawn"].values[np.ix_([a, b], [k, other])]
    scale = np.array([np.sqrt(abs(W[0, 0] * W[0, 1])), np.max(np.abs(W[1]))])
    paint.draw_circuit(ax, W / scale[:, None], V * scale, (a, b), (k, other))
    ax.set_title(f"neurons {k + 1} and {other + 1}, features {a + 1} and {b + 1}")


def _draw_typical(ax: Axes, typical: np.ndarray) -> None:
    """Draw the motif of the medians: what the paper sketches as [2, -1/2] and [1/2, 2]."""
    ratio, interference, inhibition = typical
    if np.isnan(ratio):
        ax.set_axis_off()
        return
    root = np.sqrt(ratio)
    W = np.array([[root, -1 / root], [1, 0]])
    V = np.array([[1 / root, 0], [interference / root, inhibition]])
    paint.draw_circuit(ax, W, V, ("a", "b"), ("", ""))
    ax.set_title(
        f"median ratio {ratio:.2g}, inhibition {inhibition:.2g}\n(the paper's sketch: ratio 4)"
    )


def _draw_counts(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw motifs of a model by density, and those of shuffled weights."""
    p = dataset["p_active"].values
    mean, low, high, chance = (dataset[k].values for k in ("average", "low", "high", "chance"))
    draw_interval(ax, p, mean, np.maximum(low, 0), high, fmt="o-", color=style.INK, label="trained")
    ax.plot(
        p, chance, "s--", color=style.NULL, ms=4, lw=1.1, label="features of each neuron shuffled"
    )
    ax.set(xscale="log", xlabel="density 1 − S", ylabel="motifs of a model")
    ax.set_title("how many there are")
    ax.set_xticks(p, [f"{value:g}" for value in p])
    ax.minorticks_off()
    ax.legend()
