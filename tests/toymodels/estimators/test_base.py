import jax.numpy as jnp
import pytest
from builders import make_run

from toymodels.errors import InputError
from toymodels.estimators import Fourier, Quadrature, Sampled, Stratified, n_batches, require
from toymodels.models import LinearAutoencoder, ReluAutoencoder


def test_what_is_drawn_takes_as_many_batches_as_examples_need():
    assert [n_batches(Sampled(), n, 64) for n in (1, 64, 65, 640)] == [1, 1, 2, 10]
    assert n_batches(Stratified(), 65_536, 1000) == 66


@pytest.mark.parametrize("estimator", [Quadrature(), Fourier()])
def test_what_draws_nothing_needs_one_batch_without_numbers(estimator):
    assert n_batches(estimator, 10**9, 1024) == 1
    assert estimator.draw(make_run().task, None, 64).shape == (0, 64)


def test_samples_serve_everything():
    require(Sampled(), object(), object)


def test_a_refusal_names_the_estimator_and_the_way_out():
    with pytest.raises(InputError, match=r'^estimator = "exact" .*or estimator = "sampled"\.$'):
        require(Quadrature(), make_run().task, LinearAutoencoder)
    require(Quadrature(), make_run().task, ReluAutoencoder(jnp.zeros((2, 3)), jnp.zeros(3)))
