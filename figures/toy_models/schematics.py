"""F2–F5, F10, F35: the schematics of the paper, drawn from computed vectors and numbers.

Elhage et al. 2022, "Key Concepts", "Demonstrating Superposition", "Superposition as a Phase Change"
and "Computation in Superposition". Nothing in the panels is placed by hand: arrows are columns of
solved or constructed W, and every number is a loss, a projection or an output of a model.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.panels import panels
from figures.kit.settings import require_at_least
from figures.toy_models import schematics_blocks as blocks
from figures.toy_models import schematics_numbers as numbers
from figures.toy_models import schematics_vectors as vectors
from toymodels.errors import InputError
from toymodels.theory.shapes import regular_polygon, regular_simplex

F = 5  # features of the pentagon
N_INPUTS = 3  # of the absolute-value model
LATTICE = 19  # angles from 0 to 90 degrees
MOST_ON = 6
MOSAIC = [
    ["privileged", "free", "polysemantic", "superposed"],
    ["readout", "projections", "ambiguous", "twins"],
    ["simulated", "simulated", "simulated", "recovered"],
    ["blocks", "blocks", "blocks", "fates"],
    ["diagram", "matrix", "stack", "graph"],
]

# What the analysis' own variables are.
WORDS = {
    "lost": "share of E|x|² that turned features lose",
    "digons": "weights of four features, two on each neuron's axis",
    "W": "weights of five features in two dimensions",
    "b": "their biases",
    "n_features_of_neuron": "features that a neuron responds to",
    "cosine": "projection of feature 1's direction on the direction of each",
    "readout": "output where feature 1 alone is on",
    "twin": "two sparse inputs with the nearest hidden vectors",
    "twin_output": "outputs for both",
    "twin_distance": "distance of their hidden vectors",
    "example_input": "an input that goes through the model",
    "example_hidden": "hidden vector of the example",
    "example_output": "output for the example",
    "density_of_point": "density of both features",
    "importance_of_point": "importance of the second feature, the first one's is 1",
    "fate_W": "optimal weights of two features in one dimension",
    "fate_b": "optimal biases",
    "fate_loss": "least expected loss, summed over features",
    "fate": "what became of the second feature",
    "directions": "random directions of many features",
    "large_x": "features of a large sparse network that are on",
    "small_h": "activations of the small network",
    "large_read": "how strongly each feature is read out",
    "share_found": "share of inputs whose features on are those read out strongest",
    "W_in": "weights into the neurons of the absolute-value model",
    "W_out": "weights out of them",
    "largest_error": "largest error of the absolute-value model",
}


def check(plan: Any) -> None:
    """Refuse settings that are not possible.

    Raises:
        InputError: a number out of range, or lists of different lengths.
    """
    of = plan.settings
    for name, least in (("large", 4), ("neurons", 2), ("on", 1), ("samples", 1), ("seed", 0)):
        require_at_least(name, of[name], least)
    if of["on"] >= of["large"]:
        raise InputError(f"on = {of['on']}: give fewer than large = {of['large']}.")
    if not 0 < of["density"] <= 1:
        raise InputError(f"density = {of['density']}: give a number above 0, up to 1.")
    if len(of["example"]) != F:
        raise InputError(f"example = {of['example']}: give {F} numbers, one for each feature.")
    n, m = len(of["fate_density"]), len(of["fate_importance"])
    if n != m or not 1 <= n <= 4:
        raise InputError(
            f"fate_density has {n} values and fate_importance {m}: give as many, one to four."
        )
    if not all(0 < p <= 1 for p in of["fate_density"]) or min(of["fate_importance"]) <= 0:
        raise InputError("give fate_density above 0, up to 1, and fate_importance above 0.")


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Compute every vector and number that is drawn; `WORDS` says what each is."""
    return xr.merge([part(dataset) for part in (_few, _fates, _many, _absolute)])


def _few(dataset: xr.Dataset) -> xr.Dataset:
    """Lay two, four and five features into two dimensions."""
    p = float(dataset["density"])
    angles = np.union1d(np.linspace(0, 90, LATTICE), float(dataset["angle"]))
    digon = numbers.scaled(regular_simplex(2), p).W
    pentagon = numbers.scaled(regular_polygon(F), p)
    W = numbers.turned(pentagon.W, float(dataset["angle"]))
    unit = W / np.linalg.norm(W, axis=0)
    twins = numbers.twins(W)
    example = dataset["example"].values
    arrays = {
        "lost": (("hidden_layer", "turn"), numbers.lost_when_turned(angles, p)),
        "digons": (("hidden", "feature_of_four"), np.kron(np.eye(2), digon)),
        "W": (("hidden", "feature"), W),
        "b": ("feature", pentagon.b),
        "n_features_of_neuron": ("hidden", numbers.n_features_of(W)),
        "cosine": ("feature", unit[:, 0] @ unit),
        "readout": ("feature", numbers.outputs(W, pentagon.b, np.eye(F)[0])),
        "twin": (("input", "feature"), twins.x),
        "twin_output": (("input", "feature"), numbers.outputs(W, pentagon.b, twins.x)),
        "twin_distance": twins.distance,
        "example_input": ("feature", example),
        "example_hidden": ("hidden", W @ example),
        "example_output": ("feature", numbers.outputs(W, pentagon.b, example)),
    }
    return xr.Dataset(arrays, {"hidden_layer": ["ReLU", "linear"], "turn": angles})


def _fates(dataset: xr.Dataset) -> xr.Dataset:
    """Solve for two features in one dimension: three things can become of the second."""
    p, r = (dataset[f"fate_{name}"].values for name in ("density", "importance"))
    solved, names = zip(*map(numbers.fate, p, r), strict=True)
    arrays = {
        "density_of_point": ("point", p),
        "importance_of_point": ("point", r),
        "fate_W": (("point", "feature_of_two"), np.stack([one.W[0] for one in solved])),
        "fate_b": (("point", "feature_of_two"), np.stack([one.b for one in solved])),
        "fate_loss": ("point", [one.loss for one in solved]),
        "fate": ("point", list(names)),
    }
    return xr.Dataset(arrays)


def _many(dataset: xr.Dataset) -> xr.Dataset:
    """Hold a large sparse network in a small one, with more and more features on."""
    rng = np.random.default_rng(int(dataset["seed"]))
    large, small, on = (int(dataset[name]) for name in ("large", "neurons", "on"))
    W = numbers.directions(rng, small, large)
    x = np.zeros(large)
    x[rng.permutation(large)[:on]] = 1
    counts = np.arange(1, min(MOST_ON, large - 1) + 1)
    sizes = [max(small // 2, 1), small, 2 * small]
    frames = [numbers.directions(rng, sizes[0], large), W, numbers.directions(rng, sizes[2], large)]
    n = int(dataset["samples"])
    found = [[numbers.share_found(rng, frame, int(k), n) for k in counts] for frame in frames]
    arrays = {
        "directions": (("neuron", "large_feature"), W),
        "large_x": ("large_feature", x),
        "small_h": ("neuron", W @ x),
        "large_read": ("large_feature", W.T @ W @ x),
        "share_found": (("n_neurons", "n_on"), found),
    }
    return xr.Dataset(arrays, {"n_on": counts, "n_neurons": sizes})


def _absolute(dataset: xr.Dataset) -> xr.Dataset:
    """Build the ideal model of absolute values."""
    model = numbers.ideal_absolute_value(N_INPUTS)
    arrays = {
        "W_in": (("unit", "entry"), np.asarray(model.W)),
        "W_out": (("entry", "unit"), np.asarray(model.V)),
        "largest_error": numbers.largest_error(model, N_INPUTS),
    }
    return xr.Dataset(arrays)


def claim(dataset: xr.Dataset) -> str:
    """Say how far a feature is heard in the others, and which inputs are confused."""
    most, least = (float(f(dataset["cosine"].values[1:])) for f in (np.max, np.min))
    first = f"{F} features in 2 neurons: one alone projects onto the others by {least:.2f} to "
    first += f"{most:.2f}"
    distance = float(dataset["twin_distance"])
    if not np.isfinite(distance):
        return f"{first}; no two features together look like a third"
    one, two = (np.flatnonzero(x > 0) + 1 for x in dataset["twin"].values)
    value = float(dataset["twin"].values[0].max())
    same = (
        "exactly the same" if distance < 1e-6 else f"the same but for a distance of {distance:.2g}"
    )
    return (
        f"{first}; feature {one[0]} at {value:.2f} and features {two[0]} and "
        f"{two[1]} together look {same}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say where vectors and numbers are from."""
    p, error = float(dataset["density"]), float(dataset["largest_error"])
    small, large = dataset.sizes["neuron"], dataset.sizes["large_feature"]
    return [
        f"digons and pentagon: least exact loss at density {p:g} among models of one length and "
        "one bias",
        f"a neuron responds to a feature from a weight of {numbers.RESPONDS:g} on",
        f"F4: {large} random directions in {small} dimensions, {int(dataset['samples']):,} inputs "
        "for each point",
        "F10: least exact loss of three descents, one from each fate",
        f"F35: constructed; its largest error over a lattice of inputs is {error:g}",
        "the paper's schematics have no numbers: all of them are ours",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw all schematics, each in its own panel."""
    how = {"figsize": (14, 16.5), "height_ratios": [1, 1, 0.95, 1, 1.05]}
    figure, panel = panels(axes, MOSAIC, **how)
    vectors.draw_privileged(panel["privileged"], dataset)
    vectors.draw_free(panel["free"], dataset)
    vectors.draw_polysemantic(panel["polysemantic"], dataset)
    vectors.draw_superposed(panel["superposed"], dataset)
    vectors.draw_readout(panel["readout"], dataset)
    vectors.draw_projections(panel["projections"], dataset)
    vectors.draw_ambiguous(panel["ambiguous"], dataset)
    vectors.draw_twins(panel["twins"], dataset)
    blocks.draw_simulated(panel["simulated"], dataset)
    blocks.draw_recovered(panel["recovered"], dataset)
    blocks.draw_blocks(panel["blocks"], dataset)
    vectors.draw_fates(panel["fates"], dataset)
    blocks.draw_diagram(panel["diagram"], dataset)
    blocks.draw_matrix(panel["matrix"], dataset)
    blocks.draw_stack(panel["stack"], dataset)
    blocks.draw_graph(panel["graph"], dataset)
    return figure
