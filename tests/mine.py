"""What a user might write: things of their own, named in configs as `mine:Thing`."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.features import Features
from toymodels.fields import Field, along_first_axis, array, static
from toymodels.models import hidden
from toymodels.models.base import SizedModel, normal
from toymodels.tasks import UniformTask


@struct.dataclass
class Magnitude:
    """A task: the squared length of a vector; one output for two inputs, one key per example."""

    p_active: Any = array(words="how often the vector is not zero")
    outputs = "length"

    @classmethod
    def create(cls, p_nonzero: float = 1.0):
        return cls(jnp.float32(p_nonzero))

    def sample(self, key):
        key_value, key_active = jax.random.split(key)
        x = jax.random.uniform(key_value, (2,), minval=-2, maxval=2)
        x = x * (jax.random.uniform(key_active) < self.p_active)
        return x, jnp.sum(x**2, keepdims=True)

    def error(self, output, target):
        return jnp.abs(output - target)


@struct.dataclass
class Quadratic:
    """A model that is no `Model`: `x W x + offset`, with a leaf of one number inside a table."""

    W: jax.Array
    inner: dict

    @classmethod
    def start(cls, spread: float = 0.1):
        return QuadraticStart(spread, cls)

    def __call__(self, x):
        return jnp.array([x @ self.W @ x + self.inner["offset"]])


@struct.dataclass
class QuadraticStart:
    spread: Any
    model: type = static()

    def __call__(self, key):
        return self.model(normal(key, (2, 2), self.spread), {"offset": jnp.zeros(())})


@struct.dataclass
class Named(Quadratic):
    """The same with its dimensions declared."""

    W: jax.Array = array("row", "column", words="the form")


@struct.dataclass
class HiddenOf(UniformTask):
    """A task on another sweep's model: tell what its hidden layer holds."""

    trained: Any  # (run, model)
    scale: Any = array()
    outputs = "neuron"

    @classmethod
    def create(cls, trained: Any, scale: float = 1.0):
        return cls(trained, jnp.float32(scale))

    @property
    def n_uniforms(self):
        return self.trained.run.task.n_uniforms

    def from_uniforms(self, u):
        x, _ = self.trained.run.task.from_uniforms(u)
        return x, self.scale * hidden(self.trained.model, x)

    def error(self, output, target):
        return (output - target) ** 2


@struct.dataclass
class Reader(SizedModel):
    """A model for `HiddenOf`: `y = A x`, with no code of its own."""

    A: jax.Array = array("neuron", "feature")

    @classmethod
    def init(cls, key, n_features, n_hidden, scale):
        return cls(normal(key, (n_hidden, n_features), scale))

    def __call__(self, x):
        return self.A @ x


@struct.dataclass
class Together(Features):
    """A world: all features are active at once, or none is."""

    p_active: Any = array(words="how often")
    n_features: int = static(default=3)

    @classmethod
    def create(cls, n_features: int, p_together: float = 0.5):
        return cls(jnp.float32(p_together), n_features)

    @property
    def n_uniforms(self):
        return 1 + self.n_features

    def from_uniforms(self, u):
        return jnp.where(u[:1] < along_first_axis(self.p_active, u), u[1:], 0.0)


@struct.dataclass
class L2:
    """A penalty: half the squared weights, as decay in the gradient does."""

    weight: Any = 0.1
    of_examples = False

    def __call__(self, model, inputs):
        assert inputs is None
        return self.weight / 2 * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(model))


def largest_weight(run, model, key):
    """A measure without settings."""
    leaves = [jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(model)]
    return {"largest_weight": Field(jnp.max(jnp.array(leaves)), (), "largest |weight| or |bias|")}


@dataclass(frozen=True)
class MeanOutput:
    """A measure with settings, which draws: the mean output over some examples."""

    n: int = 8

    def __call__(self, run, model, key):
        x = jax.vmap(lambda k: run.task.sample(k)[0], out_axes=-1)(jax.random.split(key, self.n))
        return {"mean_output": Field(jnp.mean(model(x), axis=-1), ("feature",), "mean output")}


@struct.dataclass
class FromHost:
    """A start that is drawn on the host: weights that no program could draw."""

    n_features: int = static()
    n_hidden: int = static()

    def draw(self, key):
        from numpy.random import default_rng

        from toymodels.models import ReluAutoencoder

        rng = default_rng([int(n) for n in jax.random.key_data(key)])
        W = rng.choice([-1.0, 1.0], (self.n_hidden, self.n_features))
        return ReluAutoencoder(jnp.float32(W), jnp.zeros(self.n_features))


class Constructed:
    """A model whose start comes from the host."""

    @staticmethod
    def start(n_features: int, n_hidden: int):
        return FromHost(n_features, n_hidden)
