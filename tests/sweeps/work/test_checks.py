"""A run of a user's own that cannot be trained says which part is wrong, before JAX does."""

import dataclasses

import jax.numpy as jnp
import pytest
from builders import make_run
from flax import struct
from mine import Magnitude, QuadraticStart

from sweeps.cells import cells_of
from sweeps.plan import Cell
from sweeps.work.train import TRAIN
from toymodels import models
from toymodels.errors import InputError
from toymodels.fields import static
from toymodels.tasks import Reconstruction

RUN = make_run(steps=20, batch_size=16)
OWN = Magnitude.create()


def changed(**how):
    return dataclasses.replace(RUN, **how)


class Undecorated:
    """No record."""

    def sample(self, key):
        return jnp.zeros(3), jnp.zeros(3)

    def error(self, output, target):
        return output - target


@struct.dataclass
class Own:
    """A task whose parts can be spoiled."""

    p: float = 1.0
    drawn: int = static(default=2)
    wrong: str = static(default="")

    def sample(self, key):
        if self.wrong == "raises":
            raise KeyError("no such feature")
        x = jnp.zeros((self.drawn,))
        return x if self.wrong == "alone" else (x, x)

    def error(self, output, target):
        if self.wrong == "scalar":
            return jnp.sum(output - target)
        return (output - target) ** 2


@struct.dataclass
class Counts:
    """A model of integers."""

    n: jnp.ndarray

    def __call__(self, x):
        return x * self.n


@struct.dataclass
class Silent:
    """A record that is no function."""

    W: jnp.ndarray


WRONG = [
    (None, "build returned a NoneType: it must return a .*Run"),
    (RUN.task, "build returned a Reconstruction"),
    (changed(spec={"steps": 5}), "spec is a dict: make it by"),
    (changed(task=5), r"task: a int has no sample\(key\)"),
    (changed(task=Reconstruction), r"task is the class Reconstruction: give one of them"),
    (changed(task=lambda key: key), r"task: a function has no sample"),
    (changed(task=Undecorated()), "Undecorated is no record"),
    (changed(task=Own(drawn=5)), r"the model does not take an input of shape \(5,\)"),
    (changed(task=Own(drawn=3, wrong="alone")), r"must return \(input, target\)"),
    (changed(task=Own(drawn=3, wrong="raises")), r"task.sample\(key\) fails: KeyError: .no such"),
    (changed(task=Own(drawn=3, wrong="scalar")), r"one number for each output, \[O\]"),
    (changed(init=5.0), "init is a float: init must be a function of a key alone"),
    (changed(init=models.ReluAutoencoder), r"init\(key\) fails.*such as a record `models.Init`"),
    (changed(init=lambda: 1), r"init\(key\) fails"),
    (changed(init=lambda key: None), r"returned a NoneType: it must return a model"),
    (changed(init=lambda key: jnp.zeros(3)), "must return a model, a callable record"),
    (changed(init=lambda key: Silent(jnp.zeros(3))), "returned a Silent: it must return a model"),
    (changed(init=lambda key: Counts(jnp.arange(3))), "an array of int32: weights are trained"),
]


@pytest.mark.parametrize(("built", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_a_wrong_part_is_named_with_what_is_needed(built, told):
    with pytest.raises(InputError, match=told):
        cells_of(lambda values: built)({})


def test_what_can_be_trained_is_let_through():
    own = changed(task=OWN, init=QuadraticStart(0.1, __import__("mine").Quadratic))
    for run in (RUN, own, changed(task=Own(drawn=3))):
        work, made = cells_of(lambda values, run=run: run)({})
        assert (work, made.task) == (TRAIN, run.task)
    cell = Cell(TRAIN, RUN)
    assert cells_of(lambda values: cell)({}) is cell
