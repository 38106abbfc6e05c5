"""What the figure of estimators measures, by a second way and against scaling, and what it says."""

import re

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.exact import estimators
from toymodels.estimators import Sampled, Stratified
from toymodels.features import Independent
from toymodels.models import ReluAutoencoder
from toymodels.streams import Stream, stream
from toymodels.tasks import Reconstruction

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


def problem(p, n_features):
    task = Reconstruction.create(Independent.create(p, n_features), 1.0, n_features)
    W = 0.7 * jax.random.normal(jax.random.key(1), (1, n_features))
    return task, ReluAutoencoder(W, jnp.zeros(n_features))


def variance(estimator, p, n_features=2, n_batches=32, batch_size=64):
    task, model = problem(p, n_features)
    return estimators.variance(estimator, task, model, n_batches, batch_size)


def test_variance_is_that_of_gradients_taken_one_by_one():
    task, model = problem(0.5, 2)
    estimator = Sampled()

    @jax.jit
    def slope_of(model, u):
        return jax.grad(lambda m: jnp.sum(estimator.loss_per_output(task, m, u)))(model)

    slopes = []
    for key in jax.random.split(stream(0, Stream.MEASURE), 32):
        slope = slope_of(model, estimator.draw(task, key, 64))
        slopes.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(slope)]))
    wanted = np.var(slopes, axis=0, ddof=1).sum()
    np.testing.assert_allclose(variance(estimator, 0.5).gradient, wanted, rtol=1e-4)


@pytest.mark.claims  # compiles for many seconds
def test_noise_is_measured_on_the_models_of_each_snapshot():
    """By hand from the stored weights; the third one is 2→1 at density 1, seed 1."""
    dataset = figures.estimators.compute(version="tiny")
    assert dataset["gradient_variance"].dims == ("size", *estimators.CELL)
    assert dataset["snapshot"].values.tolist() == [0, 3]
    of = dataset["gradient_variance"].isel(size=0)
    assert not np.allclose(of[0], of[1], rtol=1e-3)
    ratio = of.sel(estimator="sampled") / of.sel(estimator="stratified")
    np.testing.assert_allclose(ratio.sel(p_active=1.0), 1, rtol=1e-5)
    drawn = figures.estimators.draw(dataset)
    assert [ax.get_title() for ax in drawn.axes] == ["before training", "after 3 steps"]


def test_ratios_are_means_of_logarithms_over_seeds():
    sizes = {"size": 1, "snapshot": 1, "estimator": 2, "p_active": 1, "seed": 3}
    noise = np.array([[1.0, 10.0, 100.0], [1.0, 1.0, 1.0]]).reshape(1, 1, 2, 1, 3)
    result = xr.Dataset(
        {
            "gradient_variance": (tuple(sizes), noise),
            "diverged": (("size", "p_active", "seed"), np.zeros((1, 1, 3), int)),
        },
        {"estimator": ["sampled", "stratified"]},
    )
    found = estimators.ratios(result)
    np.testing.assert_allclose(found["variance_ratio"], 10.0)
    assert found["variance_ratio_low"] < 10 < found["variance_ratio_high"]


def measured(ratio):
    """One size at densities 0.001 to 10 active features, with these ratios."""
    n_active = np.array([[0.001, 0.01, 0.1, 1.0, 10.0]])
    dims = ("size", "p_active")
    one = (("snapshot", *dims), np.reshape(ratio, (1, 1, 5)))
    return xr.Dataset(
        {
            "variance_ratio": one,
            "variance_ratio_low": one,
            "variance_ratio_high": one,
            "n_active": (dims, n_active),
        },
        {"snapshot": [600]},
    )


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ([4e9, 4e6, 4e3, 1.5, 1.0], "have 4,000,000 times less.*with 1 or more, at most 2 times"),
        ([4e5, 4e3, 40.0, 2.5, 1.0], "have 4,000 times less.*with 10 or more, at most 2 times"),
        ([1.0] * 5, "nowhere 2 times less noise"),
    ],
)
def test_the_claim_says_how_much_noise_is_saved_and_where_none(ratio, words):
    said = estimators.claim(measured(ratio))
    assert re.search(words, said), said


def test_the_caption_gives_the_power_of_the_law():
    few = [4 / n**3 for n in (0.001, 0.01, 0.1)]
    dataset = measured([*few, 1.0, 1.0])
    assert "falls with power -3.0" in " ".join(estimators.caption(dataset))
    assert estimators.finding(dataset) == (
        "Where fewest features are active: 4,000,000,000 (4,000,000,000–4,000,000,000) times at "
        "step 600, a power -3.00 of np < 1; 4 (np)⁻³ is 4,000,000,000, np = 0.001"
    )
    assert estimators.finding(measured([np.nan] * 5)) == ""


@pytest.mark.claims
def test_the_ratio_grows_with_the_third_power_of_rarity():
    plain, split = (
        [variance(e, p, 5, 512, 1024).gradient for p in (0.002, 0.02)]
        for e in (Sampled(), Stratified())
    )
    ratio = np.divide(plain, split)
    assert 300 < ratio[0] / ratio[1] < 3000
    assert ratio[1] > 100
    assert bool(jnp.isfinite(ratio[0]))
