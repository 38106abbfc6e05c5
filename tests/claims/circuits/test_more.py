"""More numbers of "Rotations in Superposition": sweeps, other circuits and weights, the appendix.

References as in `test_claims_circuits`; those of other circuits and weights are two or three
networks with 200 or 300 examples each, and are compared more loosely.
"""

import json

import jax
import numpy as np
import pytest
from builders import DATA

from toymodels.circuits import theory
from toymodels.circuits.assignment import prime_steps
from toymodels.circuits.constructions.universal_and import (
    as_many_as_neurons,
    basis_aligned,
    neurons_needed,
)
from toymodels.circuits.examples import draw_embedding, generator
from toymodels.circuits.interference import measure_interference, scalar_circuits
from toymodels.circuits.network import balanced_network, capped_network, split_network
from toymodels.circuits.simulation import simulate_circuits, simulate_rotations
from toymodels.circuits.small_circuits import (
    active_rotations,
    rotation_circuit,
    rotation_circuit_one_indicator,
    rotation_states_one_indicator,
    step_circuits,
    step_states,
)
from toymodels.streams import Stream

pytestmark = pytest.mark.claims

REFERENCE = json.loads((DATA / "circuits_reference.json").read_text())
POST = {"n_circuits": 557, "width": 1000, "redundancy": 6}
ENOUGH = 2500  # examples, for means within a few per cent
CONSTRUCTIONS = {
    "W1_corrected_unembed": balanced_network,
    "balanced_U": balanced_network,
    "W2_split": split_network,
    "W3_capped": capped_network,
    "capped_W": capped_network,
}


def mean_of(runs, field):
    return np.mean([getattr(run, field) for run in runs], axis=0)


def rotations(seeds, **arguments):
    return [simulate_rotations(jax.random.key(seed), **arguments) for seed in range(seeds)]


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in REFERENCE["sweeps"]
        if row["z"] < 3 and row["inhibition"] >= 1 and row["S"] < 7
    ],
    ids=lambda row: f"T{row['T']}-S{row['S']}-b{row['bias']}-x{row['inhibition']}-z{row['z']}",
)
def test_sweeps_of_inhibition_bias_and_redundancy(row):
    """Three networks against three; with S = 1 an active circuit errs too rarely to compare.

    Three numbers tell a deviation badly: the larger of theirs and ours counts.
    """
    found = rotations(
        3,
        n_circuits=row["T"],
        width=1000,
        redundancy=row["S"],
        n_active=row["z"],
        n_layers=5,
        n_samples=min(row["n_samples"], ENOUGH),
        bias=row["bias"],
        inhibition=row["inhibition"],
    )
    for field in ("mse_x_active", "mse_on_inactive")[row["S"] == 1 :]:
        ours = np.array([getattr(run, field) for run in found])
        mean = np.array(row[field]["mean"])
        sd = np.maximum(row[field]["sd"], ours.std(axis=0, ddof=1))
        share = np.array([0, 0.1, 0.1, 0.1, 0.2, 0.2])
        allowed = np.maximum(np.maximum(3 * sd, share * mean), 1e-5)
        np.testing.assert_array_less(np.abs(ours.mean(axis=0) - mean), allowed)


@pytest.mark.parametrize("times", [0.0, 0.5])
def test_without_enough_inhibition_errors_explode(times):
    rows = [r for r in REFERENCE["sweeps"] if r["inhibition"] == times and r["z"] < 3]
    for row in rows:
        n_samples = min(row["n_samples"], ENOUGH)
        found = rotations(
            3, n_active=row["z"], n_layers=5, n_samples=n_samples, inhibition=times, **POST
        )
        ours = np.log(mean_of(found, "mse_x_active")[2:])
        np.testing.assert_allclose(ours, np.log(row["mse_x_active"]["mean"][2:]), atol=0.5)


def test_indicators_do_not_depend_on_the_bias():
    runs = [
        rotations(1, n_active=2, n_layers=5, n_samples=557, bias=b, **POST)[0] for b in (0.5, 2)
    ]
    np.testing.assert_array_equal(runs[0].mse_on_inactive, runs[1].mse_on_inactive)
    np.testing.assert_array_equal(runs[0].mse_on_active, runs[1].mse_on_active)


@pytest.mark.parametrize("row", REFERENCE["asymptotic"], ids=lambda r: f"{r['D']}-{r['T']}")
def test_at_fixed_load_errors_grow_with_the_width(row):
    """The same x = T (d/D)² in networks of 1000, 2000 and 4000 neurons, S = 6, z = 1."""
    found = rotations(
        2 if row["D"] == 4000 else 4,
        n_circuits=row["T"],
        width=row["D"],
        redundancy=6,
        n_active=1,
        n_layers=4,
        n_samples=500,
    )
    ours, theirs = mean_of(found, "mse_x_active")[2:], np.array(row["mse_x_active"][2:])
    np.testing.assert_allclose(np.log(ours), np.log(theirs), atol=0.35)
    on = mean_of(found, "fraction_on")[:, 0]
    np.testing.assert_allclose(on[1:3], row["fraction_on_0"][1:3], rtol=0.06)
    for name, theirs in (("link_density", "link_density"), ("inhibition_strength", "inhibition")):
        np.testing.assert_allclose(mean_of(found, name)[2:], row[theirs][2:], rtol=0.015)


# Other circuits and other weights.


def one_indicator_states(rng, shape):
    angle = rng.uniform(0, 2 * np.pi, shape)
    return rotation_states_one_indicator(np.stack([np.cos(angle), np.sin(angle)], axis=-1))


@pytest.mark.parametrize(
    "row", REFERENCE["variants"], ids=lambda row: f"d{row['d']}-z{row['z']}-{row['variant'][:2]}"
)
def test_weight_variants_and_the_circuit_with_one_indicator(row):
    """D = 1000 or 750, T = 250, S = 5; the reference is the authors' run itself.

    Its three times 200 examples leave 10 % between means of layer 4 where one indicator doubles
    the noise of a few overlaps in every layer: more is allowed there.
    """
    make, draw = {
        4: (rotation_circuit, active_rotations),
        3: (rotation_circuit_one_indicator, one_indicator_states),
    }[row["d"]]
    runs = []
    for seed in range(4):
        key = jax.random.key(seed)
        circuits = make(generator(key, Stream.ANGLES).uniform(0, 2 * np.pi, 250))
        held = draw_embedding(key, prime_steps, 250, 250, 5, 4)
        network = CONSTRUCTIONS[row["variant"]](circuits, held, 250)
        runs.append(simulate_circuits(key, network, draw, n_active=row["z"], n_samples=1000))
    active, inactive = mean_of(runs, "mse_active"), mean_of(runs, "mse_inactive")
    for i, value in enumerate(("on", "x")):
        reference = np.array(row[f"mse_{value}_active"])
        np.testing.assert_allclose(active[2:, i], reference[2:], rtol=0.3, atol=3e-4)
        theirs = row[f"mse_{value}_inactive"]
        np.testing.assert_allclose(inactive[1:4, i], theirs[1:4], rtol=0.12)
        last = 0.3 if row["d"] == 3 else 0.12
        np.testing.assert_allclose(inactive[4, i], theirs[4], rtol=last)


@pytest.mark.parametrize(
    "row", REFERENCE["step"], ids=lambda row: f"S{row['S']}-z{row['z']}-{row['variant']}"
)
def test_step_circuits(row):
    """D = 800, T = 1000, d = 2; two networks of the authors, 300 examples."""
    runs = []
    for seed in range(4):
        key = jax.random.key(seed)
        held = draw_embedding(key, prime_steps, 1000, 400, row["S"], 10)
        network = CONSTRUCTIONS[row["variant"]](step_circuits(1000), held, 400)
        draw = lambda rng, shape: step_states(shape)  # noqa: E731
        runs.append(simulate_circuits(key, network, draw, n_active=row["z"], n_samples=500))
    inactive = mean_of(runs, "mse_inactive")[:, 0]
    np.testing.assert_allclose(inactive[1:6], row["mse_inactive"][1:6], rtol=0.1)
    np.testing.assert_allclose(inactive[6:], row["mse_inactive"][6:], rtol=0.15)
    active = mean_of(runs, "mse_active")[:, 0]
    np.testing.assert_allclose(active[1:], row["mse_active"][1:], rtol=0.3, atol=0.02)


@pytest.mark.parametrize("redundancy", [2, 3, 5, 6])
def test_interference_of_one_layer(redundancy):
    """The appendix: measured by theory, averaged over 15 networks of three seeds each."""
    rows = [row for row in REFERENCE["interference"] if row["S"] == redundancy]
    found = {"shared": [], "own": [], "both": []}
    for row in rows:
        n_circuits, n_copies = row["T"], row["D"] // 4
        expected = theory.interference(n_circuits, n_copies, redundancy)
        assert expected == pytest.approx(row["theory"], rel=1e-5)
        for seed in range(2):
            key = jax.random.key(seed)
            held = draw_embedding(key, prime_steps, n_circuits, n_copies, redundancy, 2)
            own = generator(key, Stream.WEIGHTS).choice([-1.0, 1.0], n_circuits)
            for name, weights in (("shared", (0 * own, 1)), ("own", (own, 0)), ("both", (own, 1))):
                network = capped_network(scalar_circuits(*weights), held, n_copies)
                found[name].append((measure_interference(network) / expected, row[name] / expected))
    for name, pairs in found.items():
        ours, theirs = np.mean(pairs, axis=0)
        assert ours == pytest.approx(theirs, rel=0.04), name


def test_superposed_ands_take_more_neurons_with_more_features_and_aligned_ones_do_not():
    """The claim is m^(2/3) up to logarithms; the exponent is read off m = 256, 512, 1024."""
    sizes = [256, 512, 1024]
    for dimensions, low, high in ((as_many_as_neurons, 0.3, 0.75), (basis_aligned, -0.1, 0.1)):
        needed = [
            neurons_needed(
                jax.random.key(0),
                m,
                n_active=2,
                largest_rms=0.5,
                n_samples=100,
                dimensions=dimensions,
            )
            for m in sizes
        ]
        exponent = np.polyfit(np.log(sizes), np.log(needed), 1)[0]
        assert low < exponent < high, needed
