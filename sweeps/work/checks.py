"""What a run of a user's own must be: checked before anything is trained, by shapes alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.errors import InputError
from toymodels.estimators.base import require

# What a task must have.
TASK = {"sample": "(key) -> (input, target)", "error": "(output, target) -> [O]"}


def check_run(run: Any, first_model: Callable[[Any], Any]) -> None:
    """Raise `InputError` where a run's parts are not what training needs.

    Args:
        run: a `toymodels.training.Run`.
        first_model: returns its model as shapes.
    """
    if isinstance(run.task, type):
        raise InputError(f"task is {_kind(run.task)}: give one of them, {run.task.__name__}(…).")
    for name, form in TASK.items():
        if not callable(getattr(run.task, name, None)):
            raise InputError(
                f"task: {_kind(run.task)} has no {name}{form}. A task is a frozen record with "
                "`sample` and `error`, see toymodels/tasks/base.py."
            )
    model = _check_init(run, first_model)
    require(run.estimator, run.task, model)
    _check_task(run, model)


def _kind(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _check_init(run: Any, first_model: Callable[[Any], Any]) -> Any:
    """Return a run's first model as shapes."""
    wanted = "init must be a function of a key alone, init(key) -> model, such as a record"
    if not callable(run.init) and not hasattr(run.init, "draw"):
        raise InputError(f"init is {_kind(run.init)}: {wanted} `toymodels.models.Init`.")
    model = _tried(f"init(key) fails, where {wanted} `models.Init`", first_model, run)
    leaves = jax.tree.leaves(model)
    if not callable(model) or not leaves:
        raise InputError(
            f"init(key) returned a {type(model).__name__}: it must return a model, a callable "
            "record (@flax.struct.dataclass) whose arrays are the weights."
        )
    for leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise InputError(
                f"init(key) returned a model with an array of {leaf.dtype}: weights are "
                "trained, so they must be real floats; what is no weight is `static()`."
            )
    return model


def _check_task(run: Any, model: Any) -> None:
    drawn = _shapes("task.sample(key) fails", run.task.sample, jax.random.key(0))
    if not isinstance(drawn, tuple) or len(drawn) != 2:
        raise InputError(
            f"task.sample(key) returned a {type(drawn).__name__}: it must return (input, target)."
        )
    x, target = drawn
    seen = f"an input of shape {_shape(x)}"
    y = _shapes(f"the model does not take {seen} of task.sample", lambda m, x: m(x), model, x)
    both = f"output {_shape(y)} and target {_shape(target)}"
    error = _shapes(f"task.error fails for {both}", run.task.error, y, target)
    if len(getattr(error, "shape", ())) != 1:
        raise InputError(
            f"task.error(output, target) returned the shape {_shape(error)} for {both}: it must "
            "return one number for each output, [O]; of one output, [1]."
        )


def _shape(value: Any) -> Any:
    return getattr(value, "shape", type(value).__name__)


def _shapes(what: str, function: Callable, *arguments: Any) -> Any:
    """Return what a function of the user's returns, as shapes; say what fails if it does."""
    return _tried(what, partial(jax.eval_shape, function), *arguments)


def _tried(what: str, function: Callable, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except InputError:
        raise
    except Exception as error:  # a user's code may raise anything
        first = str(error).strip().partition("\n")[0]
        raise InputError(f"{what}: {type(error).__name__}: {first}") from error
