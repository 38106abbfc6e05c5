"""The objective of training, and averages over many batches."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.estimators.base import Estimator, n_batches
from toymodels.estimators.sampled import Sampled
from toymodels.penalties.base import Penalty
from toymodels.tasks.base import interpret


def objective(run: Any, model: Any, u: jax.Array) -> jax.Array:
    """Return what a step descends on: the estimated loss, summed over outputs, plus penalties.

    Args:
        run: with a `task`, an `estimator` and `penalties`.
        model: the model.
        u: the randomness of a batch.
    """
    total = jnp.sum(run.estimator.loss_per_output(run.task, model, u))
    if run.penalties:
        inputs = interpret(run.task, u)[0] if needs_inputs(run.penalties) else None
        total += sum(penalty(model, inputs) for penalty in run.penalties)
    return total


def needs_inputs(penalties: Sequence[Penalty]) -> bool:
    """Tell whether a penalty is a mean over examples; one of weights alone says that it is not."""
    return any(getattr(penalty, "of_examples", True) for penalty in penalties)


def average_over_batches(
    f: Callable[[jax.Array], Any], draw: Callable[[jax.Array], jax.Array], key: jax.Array, n: int
) -> Any:
    """Average `f(draw(key_i))` over i < n, one batch in memory at a time."""

    def body(i: jax.Array, total: Any) -> Any:
        return jax.tree.map(jnp.add, total, f(draw(jax.random.fold_in(key, i))))

    shapes = jax.eval_shape(lambda k: f(draw(k)), key)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)
    return jax.tree.map(lambda a: a / n, jax.lax.fori_loop(0, n, body, zeros))


def estimate_loss_per_output(
    task: Any,
    model: Any,
    key: jax.Array,
    n_examples: int,
    batch_size: int = 1024,
    estimator: Estimator = Sampled(),
) -> jax.Array:
    """Estimate the loss of each output, `[O]`, from at least `n_examples` fresh examples."""
    return average_over_batches(
        lambda u: estimator.loss_per_output(task, model, u),
        lambda key_batch: estimator.draw(task, key_batch, batch_size),
        key,
        n_batches(estimator, n_examples, batch_size),
    )


def loss_per_output(task: Any, model: Any, u: jax.Array) -> jax.Array:
    """Return the sampled loss of each output on one batch, `[O]`: an old name, for one version."""
    return Sampled().loss_per_output(task, model, u)


def loss(task: Any, model: Any, u: jax.Array) -> jax.Array:
    """Return the sampled loss on one batch, `[]`: an old name, for one version."""
    return jnp.sum(loss_per_output(task, model, u))


expected_loss_per_output = estimate_loss_per_output  # old name, kept for one version
