"""Sweeps over circuits against values measured apart: figures 8 to 11, inhibition, bias, S.

The reference (`data/circuits_reference.json` says how it was measured) has means and standard
deviations over 3 networks. Ours are means over 3 to 8 seeds; they must lie within three deviations,
the larger of both, or 5 % (15 % from layer 4 on, where errors are heavy-tailed between networks).
A deviation of 3 networks is itself uncertain, so a few of many hundred comparisons may fail; the
mean of all ratios may not.
"""

import json

import numpy as np
import pytest
from builders import DATA

from figures.circuits.errors import published_error
from figures.kit.compute import sweep_table
from figures.kit.entry import path_of
from sweeps import run_sweep
from sweeps.config.parse import parse

pytestmark = pytest.mark.claims

REFERENCE = json.loads((DATA / "circuits_reference.json").read_text())
ERRORS = ("mse_x_active", "mse_x_inactive", "mse_on_active", "mse_on_inactive")
NO_MATTER = 1e-6  # an error below this is none
MAY_FAIL = 0.03
DEVIATIONS = 3
NETWORKS = 3  # of each mean of the reference
THREE_SEEDS = "grid.seed.range=3"


def sweep_of(name, *overrides):
    """Run the sweep of a figure with three networks."""
    return run_sweep(parse(sweep_table(path_of(name)), (THREE_SEEDS, *overrides)))


@pytest.fixture(scope="module")
def rotations():
    """Eight seeds: where overlaps are rare, the mean of three varies by a tenth."""
    return sweep_of("rotations-sweep", "grid.seed.range=8")


def compare(pairs, layer):
    """Return the share of pairs (ours over seeds, reference) that agree, and mean log ratio.

    Last comes the standard error of that mean if all pairs are of the same networks.
    """
    share = 0.05 if layer <= 3 else 0.15
    agree, ratios, errors = [], [], [0.0]
    for ours, reference in pairs:
        mean, sd = reference["mean"][layer], reference["sd"][layer]
        allowed = max(3 * sd, 3 * ours.std(ddof=1), share * mean, NO_MATTER)
        agree.append(abs(ours.mean() - mean) <= allowed)
        if mean > 1e-2:
            ratios.append(np.log(ours.mean() / mean))
            ours_share = ours.std(ddof=1) / ours.mean()
            errors.append(np.sqrt((sd / mean) ** 2 / NETWORKS + ours_share**2 / len(ours)))
    return np.mean(agree), np.mean(ratios) if ratios else 0.0, np.mean(errors)


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
@pytest.mark.parametrize("error", ERRORS)
def test_errors_of_figures_8_to_11(rotations, error, layer):
    sizes = zip(rotations["width"].values, rotations["n_circuits"].values, strict=True)
    at = {size: i for i, size in enumerate(sizes)}
    pairs = []
    for cell in REFERENCE["fig8_11"]:
        mine = rotations[error].isel(network=at[cell["D"], cell["T"]])
        pairs.append((mine.sel(n_active=cell["z"], layer=layer).values, cell[error]))
    assert len(pairs) == 34 * 4
    agree, bias, _ = compare(pairs, layer)
    assert agree >= 1 - MAY_FAIL
    rare = layer in (1, 4)  # few examples overlap in layer 1, few networks run away in layer 4
    assert abs(bias) < (0.04 if rare else 0.02)


def ratios(rotations, z, layer):
    """Return measured over published [seed, 4], mean over the networks of ranges of T (d/D)²."""
    at = {"n_active": z, "layer": layer}
    measured = rotations["mse_x_active"].sel(at).transpose("seed", "network")
    ratio = (measured / published_error("mse_x_active", rotations).sel(at)).values
    load = 16 * rotations["n_circuits"] / rotations["width"] ** 2
    part = np.digitize(load, [0.002, 0.004, 0.006])
    return np.stack([ratio[:, part == i].mean(1) for i in range(4)], 1)


@pytest.mark.parametrize(
    ("z", "layer", "sheet"),
    [
        (1, 2, [1.01, 1.08, 1.08, 1.15]),
        (1, 3, [1.26, 2.02, 5.7, 15]),
        (1, 4, [1.36, 2.7, 15, 81]),
        (2, 1, [1.04, 1.04, 1.08, 1.02]),
        (2, 3, [1.04, 1.20, 1.97, 4.1]),
        (2, 4, [1.02, 1.35, 3.9, 16]),
        (4, 2, [1.05, 1.00, 1.10, 1.39]),
        (4, 4, [1.05, 1.14, 2.6, 11]),
    ],
)
def test_the_published_estimate_fits_at_small_loads_and_fails_at_large_ones(
    rotations, z, layer, sheet
):
    """Ratios of an independent run of the same 41 networks, 3 of each; the last two run away.

    For one active circuit at the smallest loads that run lies low: 24 seeds of ours give
    1.09 ± 0.01, 1.35 ± 0.01 and 1.46 ± 0.01 in layers 2 to 4, with 0.05 to 0.07 between seeds.
    """
    found = ratios(rotations, z, layer)
    spread = found.std(0, ddof=1) * np.sqrt(1 / len(found) + 1 / NETWORKS)
    allowed = np.maximum(np.array([0.12, 0.12, 0.3, 0.3]) * sheet, DEVIATIONS * spread)
    np.testing.assert_array_less(np.abs(found.mean(0) - sheet), allowed)


def test_indicators_in_use_are_exact_where_the_estimate_says_so(rotations):
    """Layer 1 always; layer 2 for one active circuit; deeper while T (d/D)² is small."""
    on = rotations["mse_on_active"]
    assert float(on.sel(layer=1).max()) < 1e-9
    assert float(on.sel(layer=2, n_active=1).max()) < 1e-9
    light = 16 * rotations["n_circuits"] / rotations["width"] ** 2 < 0.0035
    assert float(on.sel(n_active=1).where(light).max()) < 1e-4
    assert float(on.sel(n_active=1, layer=4).where(~light).max()) > 0.05


def cells_of(tag, **where):
    return [
        cell
        for cell in REFERENCE["sweeps"]
        if cell["tag"] == tag and all(cell[key] == value for key, value in where.items())
    ]


def assert_sweep_agrees(dataset, tag, locate, layers=range(1, 6)):
    """Compare both errors of the file in every layer; `locate(cell)` finds ours."""
    for error in ("mse_x_active", "mse_on_inactive"):
        for layer in layers:
            pairs = [
                (locate(dataset[error].sel(layer=layer), cell).values, cell[error])
                for cell in cells_of(tag)
            ]
            agree, bias, error_of_bias = compare(pairs, layer)
            assert agree >= 0.94, (error, layer)
            assert abs(bias) < max(0.02, DEVIATIONS * error_of_bias), (error, layer)


@pytest.fixture(scope="module")
def inhibition():
    return sweep_of("circuits-inhibition", "grid.inhibition=[0,0.5,1,1.15,1.3,1.5,2,3]")


def test_errors_by_inhibition(inhibition):
    assert_sweep_agrees(
        inhibition,
        "w_correction",
        lambda of, cell: of.sel(inhibition=cell["inhibition"], n_active=cell["z"]),
    )


def test_a_little_more_inhibition_errs_less_but_kills_where_several_are_active(inhibition):
    last = inhibition.sel(layer=5).mean("seed")
    assert float(last["spurious"].sel(inhibition=0).min()) > 0.999
    x = last["mse_x_active"]
    np.testing.assert_array_less(2.5 * x.sel(inhibition=1.3), x.sel(inhibition=1.0))
    dropped = last["dropped"].sel(inhibition=1.5)
    assert float(dropped.sel(n_active=1)) < 0.45
    assert float(dropped.sel(n_active=2)) > 0.9
    np.testing.assert_allclose(x.sel(inhibition=2.0, n_active=[2, 3]), 1, atol=0.02)


def test_errors_by_bias():
    # All biases share their networks: five of them, so that no single one decides.
    found = sweep_of("circuits-bias", "grid.bias=[0,0.25,0.5,1,1.5,2]", "grid.seed.range=5")
    assert_sweep_agrees(
        found, "b_sweep", lambda of, cell: of.sel(bias=cell["bias"], n_active=cell["z"])
    )
    last = found["mse_x_active"].sel(layer=5).mean("seed")
    np.testing.assert_array_less(last.sel(bias=0.25), 0.65 * last.sel(bias=1.0))
    for name in ("mse_on_active", "mse_on_inactive", "spurious", "dropped"):
        np.testing.assert_array_equal(found[name], found[name].isel(bias=[0] * 6))


def test_errors_by_redundancy():
    found = sweep_of("circuits-redundancy")
    sizes = zip(found["n_circuits"].values, found["redundancy"].values, strict=True)
    at = {size: i for i, size in enumerate(sizes)}

    def locate(of, cell):
        return of.isel(network=at[cell["T"], cell["S"]]).sel(n_active=cell["z"])

    assert_sweep_agrees(found, "S_sweep", locate)
    last = found["mse_x_active"].sel(layer=5).mean("seed")
    assert float(last.isel(network=at[250, 1]).max()) < 1e-10
    three, six = (last.isel(network=at[400, s]).values for s in (3, 6))
    np.testing.assert_array_less(three[0], 0.4 * six[0])
    np.testing.assert_array_less(three, 0.6 * six)


def reference_designs(assignment, n_circuits):
    """Return the errors of x in layer 5 with S = 6 of the other implementations, z = 1 and 2."""
    cells = json.loads(path_of("assignment-designs").with_name("reference.json").read_text())
    found = {
        c["n_active"]: c["mse_x_active"][5]
        for c in cells["cells"]
        if (c["assignment"], c["n_circuits"], c["redundancy"]) == (assignment, n_circuits, 6)
        and c["bias"] == c["inhibition"] == 1
    }
    return np.array([found[z] for z in (1, 2)])


@pytest.mark.parametrize("n_circuits", [557, 400])
def test_a_balanced_design_errs_less_and_random_subsets_more(n_circuits):
    """Values of layer 5, measured apart on 2 to 8 networks: see figures/circuits/reference.json."""
    names = ("prime_steps", "transversal", "random_subsets")
    found = sweep_of(
        "assignment-designs",
        f"zip.design.assignment={json.dumps(names)}",
        f"zip.design.n_circuits={[n_circuits] * 3}",
        "grid.seed.range=8",
    )
    last = found["mse_x_active"].sel(layer=5).transpose("design", "n_active", "seed").values
    for i, name in enumerate(names[:2]):
        sheet, mean = reference_designs(name, n_circuits), last[i].mean(1)
        allowed = DEVIATIONS * last[i].std(1, ddof=1) * np.sqrt(1 / 8 + 1 / 2)
        np.testing.assert_array_less(abs(mean - sheet), np.maximum(allowed, 0.05 * sheet))
    prime, transversal, random = last.mean(2)
    assert np.all(transversal < 0.6 * prime)
    assert np.all(random > 3 * prime)
