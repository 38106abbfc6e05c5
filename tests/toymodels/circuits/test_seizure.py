"""The mean field of spurious switching, against itself by drawing, and against simulations."""

import jax
import numpy as np
import pytest

from toymodels.circuits import simulate_rotations, transversal
from toymodels.circuits.seizure import critical_load, spurious_by_layer
from toymodels.circuits.switching import Links
from toymodels.circuits.theory import expected_inhibition, expected_link_density
from toymodels.errors import InputError


def links_of(load, n_copies, redundancy):
    q = float(expected_link_density(load * n_copies**2, n_copies, redundancy))
    return Links(n_copies, redundancy, q, float(expected_inhibition(q, redundancy)))


def test_the_mean_field_is_what_drawing_its_circuits_gives():
    """Every circuit's S neurons by hand: z = 2, 9.05 circuits on a neuron."""
    n, s, z, gain, circuits = 300, 5, 2, 2.5, 20_000
    links = Links(n, s, density=0.14, inhibition=0.03)
    found = spurious_by_layer(links, z, 4, gain)
    rng = np.random.default_rng(0)
    T = -np.log1p(-links.density) * (n / s) ** 2
    c = T * s / n
    meet = s * (c - 1) / (T - 1)
    met = rng.random(circuits) < z * meet
    read, noise = met / s, 0.0
    for layer in range(1, 4):
        draws = int(c - 1) + (rng.random((circuits, s)) < (c - 1) % 1)
        held = np.zeros((circuits, s, z * s), bool)
        sources = z * s - met  # the one that is shared is heard already
        for i in range(draws.max()):
            at = rng.integers(0, sources[:, None], (circuits, s))
            hit = (rng.random((circuits, s)) < meet * sources[:, None] / s) & (i < draws)
            held |= (np.arange(z * s) == at[..., None]) & hit[..., None]
        j = held.sum(axis=2)
        heard = j / s - (sources[:, None] - j) * links.inhibition + noise * rng.normal(size=j.shape)
        on = np.clip(gain * (read[:, None] + heard) - (gain - 1) / 2, 0, 1)
        power = s * np.var(on.mean(axis=1))
        spread = links.density * (1 - links.density) * (1 / s + links.inhibition) ** 2
        noise = np.sqrt((c - 1) / c * n * spread * power)
        met = rng.random(circuits) < z * meet
        on[:, 0] = np.where(met, 1, on[:, 0])
        read = on.mean(axis=1)
        assert found[layer] == pytest.approx(np.mean(read > 0.5), rel=0.1, abs=5e-4)
    assert found[0] == 0
    assert found[3] > 0.01


def test_the_mean_field_follows_a_network():
    """Within a factor of 1.5 in layers 3 and 4, where shares go from 5e-5 to 2e-3."""
    sizes = {"n_circuits": 4200, "width": 4000, "redundancy": 6, "n_layers": 4}
    how = {"n_active": 1, "n_samples": 40, "assignment": transversal}
    run = simulate_rotations(jax.random.key(0), **sizes, **how)
    found = spurious_by_layer(links_of(0.0042, 1000, 6))
    assert run.spurious[4] > 1e-3
    np.testing.assert_allclose(np.log(found[2:] / run.spurious[3:]), 0, atol=np.log(1.5))


def test_the_critical_load_is_where_the_share_is_passed():
    load = critical_load(500, 6)
    shares = [spurious_by_layer(links_of(f * load, 500, 6))[-1] for f in (0.98, 1.02)]
    assert shares[0] < 1e-3 < shares[1]


def test_a_network_may_never_be_quiet_or_always():
    assert np.isnan(critical_load(250, 4, n_active=4))
    assert critical_load(60, 3, share=0.9) == np.inf
    assert spurious_by_layer(Links(250, 6, 0.0, 0.0)).max() < 1e-12  # no links, nothing to hear


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"density": 1.0}, "link_density"),
        ({"density": np.nan}, "density"),
        ({"redundancy": 0}, "redundancy"),
        ({"n_copies": 2.5}, "n_copies"),
        ({"inhibition": np.inf}, "inhibition"),
    ],
)
def test_links_that_are_not_possible_are_refused(wrong, named):
    with pytest.raises(InputError, match=named):
        spurious_by_layer(Links(250, 6, 0.1, 0.05)._replace(**wrong))


@pytest.mark.parametrize(
    "wrong", [{"n_active": 0}, {"n_layers": 0}, {"share": 2.0}, {"inhibition": -1.0}]
)
def test_a_load_that_cannot_be_asked_for_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        critical_load(250, 6, **wrong)
