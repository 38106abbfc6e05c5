"""What the figure of antipodal features says of dictionaries that are known."""

import numpy as np
import pytest
import xarray as xr

from figures.neighbours import sae_antipodes

pytest.importorskip("sklearn")

PAIRS = np.array([[1.0, -1, 0, 0], [0, 0, 1.0, -1]])  # hidden × feature
SIZES = {"model_n_hidden": [2], "model_p_active": [0.1], "model_seed": [0, 1]}
DIMS = tuple(SIZES)


def over_cells(matrix, *dims, **more):
    """One matrix in every cell; `more` are dimensions between, with their sizes."""
    shape = (1, 1, 2, *more.values(), *matrix.shape)
    return ((*DIMS, *more, *dims), np.broadcast_to(matrix, shape))


def datasets(W, found):
    """A sweep of autoencoders that found some directions, and linear methods that found others."""
    true = over_cells(W, "hidden", "feature", l1_hidden=1)
    sae = xr.Dataset(
        {
            "D": over_cells(found["sae"], "hidden", "latent", l1_hidden=1),
            "activity": over_cells(np.ones(found["sae"].shape[1]), "latent", l1_hidden=1),
            "model_W": true,
            "diverged": over_cells(np.zeros(1, int), "l1_hidden"),
        },
        SIZES | {"l1_hidden": [0.4], "n_latents": 4},
    )
    both = np.stack([found["ica"], found["pca"]])
    linear = xr.Dataset(
        {
            "directions": over_cells(both, "decomposition", "hidden", "latent"),
            "model_W": over_cells(np.stack([W, W]), "decomposition", "hidden", "feature"),
        },
        SIZES | {"decomposition": ["ica", "pca"]},
    )
    return sae_antipodes.analyse(sae, {"linear-dictionaries": linear}).assign_coords(n_latents=4)


def test_sign_blind_methods_find_half_of_each_pair():
    half, turned = PAIRS[:, ::2], np.array([[1.0, 1.0], [1.0, -1.0]])
    ds = datasets(PAIRS, {"sae": PAIRS, "ica": half, "pca": turned})
    mean = ds.mean(DIMS)
    np.testing.assert_allclose(mean["signed"], [1, 0.5, np.sqrt(0.5) / 2])
    np.testing.assert_allclose(mean["unsigned"], [1, 1, np.sqrt(0.5)])
    np.testing.assert_allclose(mean["recall"], [1, 0.5, 0])
    np.testing.assert_allclose(mean["precision"], [1, 1, 0])
    assert float(mean["antipodal"]) == 1
    said = sae_antipodes.claim(ds)
    assert "sparse autoencoder 1.00 (1.00), ICA 0.50 (1.00) and PCA 0.35 (0.71)" in said


def test_without_pairs_the_claim_says_so():
    apart = np.array([[1.0, 0.0], [0.0, 1.0]])
    ds = datasets(apart, {"sae": apart, "ica": apart, "pca": apart})
    assert float(ds["antipodal"].max()) == 0
    assert sae_antipodes.claim(ds) == "No model holds half of its features in antipodal pairs"


def test_dropped_features_and_dead_latents_do_not_count():
    W = np.concatenate([PAIRS, 0.1 * PAIRS], axis=1)
    ds = datasets(W, {"sae": PAIRS, "ica": PAIRS, "pca": PAIRS})
    np.testing.assert_allclose(ds["recall"], 1)
    np.testing.assert_allclose(ds["n_represented"], 4)
