import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from toymodels.models import ReluAutoencoder
from toymodels.optimizers import SGD, Adam, AdamW, Constant, Cosine, Linear

RATE, DECAY, STEPS = 0.05, 0.1, 25
START = {"W": jnp.array([[1.0, -2.0], [0.5, 3.0]]), "b": jnp.array([0.3, -0.1])}


def gradient(model, t):
    """Any smooth function with some noise in it."""
    return jax.tree.map(lambda w: jnp.sin(3 * w) + 0.1 * w + jnp.cos(1.0 * t), model)


def ours(optimizer, decay):
    model, state = START, optimizer.init(START)

    def step(t, carry):
        model, state = carry
        return optimizer.descend(gradient(model, t), model, state, RATE, decay)

    return jax.jit(lambda: jax.lax.fori_loop(0, STEPS, step, (model, state)))()[0]


def theirs(transformation):
    model, state = START, transformation.init(START)

    def step(t, carry):
        update, state = transformation.update(gradient(carry[0], t), carry[1], carry[0])
        return optax.apply_updates(carry[0], update), state

    return jax.jit(lambda: jax.lax.fori_loop(0, STEPS, step, (model, state)))()[0]


L2 = optax.add_decayed_weights(DECAY)


@pytest.mark.parametrize(
    ("optimizer", "decay", "reference"),
    [
        (Adam(), 0.0, optax.adam(RATE)),
        (Adam(b1=0.8, b2=0.99), 0.0, optax.adam(RATE, b1=0.8, b2=0.99)),
        (Adam(), DECAY, optax.chain(L2, optax.adam(RATE))),
        (AdamW(), DECAY, optax.adamw(RATE, weight_decay=DECAY)),
        (AdamW(), 0.0, optax.adam(RATE)),
        (SGD(), 0.0, optax.sgd(RATE)),
        (SGD(momentum=0.9), 0.0, optax.sgd(RATE, momentum=0.9)),
        (SGD(momentum=0.9), DECAY, optax.chain(L2, optax.sgd(RATE, momentum=0.9))),
    ],
)
def test_every_optimiser_walks_as_its_model_in_optax(optimizer, decay, reference):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6),
        ours(optimizer, decay),
        theirs(reference),
    )


@pytest.mark.parametrize(
    ("schedule", "reference"),
    [
        (Constant(), optax.constant_schedule(1.0)),
        (Linear(), optax.linear_schedule(1.0, 0.0, 200)),
        (Cosine(), optax.cosine_decay_schedule(1.0, 200)),
    ],
)
def test_schedules_are_those_of_optax(schedule, reference):
    for t in (0, 1, 50, 100, 199, 200):
        got = float(schedule(jnp.asarray(t / 200)))
        assert got == pytest.approx(float(reference(t)), abs=1e-6)


def test_equal_optimisers_are_equal_so_that_they_compile_once():
    for make in (Adam, AdamW, SGD, Constant, Linear, Cosine):
        assert make() == make()
        assert hash(make()) == hash(make())
    assert Adam() != AdamW()
    assert SGD(momentum=0.5) != SGD()


def test_optimizer_state_holds_no_model_class():
    """Two record classes with equal fields are one structure to JAX: the state may not mix."""
    model = ReluAutoencoder(W=jnp.ones((2, 3)), b=jnp.ones(3))
    text = str(jax.tree.structure(Adam().init(model)))
    assert "Autoencoder" not in text
