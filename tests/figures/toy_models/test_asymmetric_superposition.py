"""What the figure of the asymmetric motif counts, says and draws."""

import numpy as np
import pytest
import xarray as xr

from figures.toy_models import asymmetric_superposition as module

# The circuit of Elhage et al. 2022 in neurons 1 and 2; features 1 and 2.
W = np.array([[2.0, -0.5, 0], [1, 0, 0], [0, 0, 1]])
V = np.array([[0.5, 0, 0], [2, -4, 0], [0, 0, 1]])


def models(with_motif, diverged=0):
    """Models over (p_active, seed), with the motif or without its second neuron."""
    has = np.asarray(with_motif)
    weights = np.where(has[..., None, None], V, V * [1, 0, 1])
    cells = ("p_active", "seed")
    arrays = {
        "W": ((*cells, "hidden", "feature"), np.zeros((*has.shape, 3, 3)) + W),
        "V": ((*cells, "feature", "hidden"), weights),
        "loss_ranking": (cells, np.arange(float(has.size)).reshape(has.shape)),
        "diverged": (cells, np.full(has.shape, diverged)),
    }
    return xr.Dataset(arrays, {"p_active": [0.5, 0.1][: len(has)], "seed": range(has.shape[1])})


@pytest.fixture(scope="module")
def found():
    return module.analyse(models([[0, 0, 0], [0, 1, 1]]))


def test_motifs_are_counted_over_seeds_and_shuffled_weights_have_fewer(found):
    np.testing.assert_array_equal(found["n_motifs"], [[0, 0, 0], [0, 1, 1]])
    np.testing.assert_allclose(found["average"], [0, 2 / 3])
    assert found["chance"].max() < 0.2
    said = module.claim(found)
    assert said.startswith("A model of three neurons has 0.67 asymmetric motifs at density 0.1")
    assert said.endswith("and 0 at 0.5")


def test_the_best_model_that_has_it_is_drawn_with_its_circuit(found):
    assert (float(found["drawn_density"]), int(found["drawn_seed"])) == (0.1, 1)
    np.testing.assert_array_equal(found["motif"][0], [0, 0, 1, 1, 4, 4, -4])
    assert np.isnan(found["motif"][1]).all()
    np.testing.assert_array_equal(found["typical"], [4, 4, -4])
    drawn = module.draw(found)
    numbers = {t.get_text() for ax in drawn.axes for t in ax.texts}
    assert {"2", "−0.5", "0.5", "−4"} <= numbers
    assert "no other motif" in {ax.get_title() for ax in drawn.axes}


def test_no_motif_and_no_run_are_said_as_such():
    none = module.analyse(models([[0]]))
    assert module.claim(none) == "No model of three neurons has an asymmetric motif at any density"
    module.draw(none)
    lost = module.analyse(models([[1, 1]], diverged=1))
    assert module.claim(lost) == "Every run diverged"
    assert np.isnan(lost["drawn_density"])
    assert "drawn: nothing" in " ".join(module.caption(lost))
    module.draw(lost)
