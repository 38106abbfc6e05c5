"""`jit` for functions of records, whose classes are part of what a program is kept by.

JAX (0.7 to 0.10) calls the structures of two dataclasses equal where their fields are, whatever
their classes: those of `LinearAutoencoder` and `ReluAutoencoder` are, and those of correlated and
anticorrelated sets. Their hashes differ, but its cache compares a few bits of them before it asks
for equality, and so, once in a hundred processes or so, takes one's program for the other's.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax


def classes_of(structure: Any) -> Any:
    """Return the classes of a structure's nodes, nested as they are; None for a leaf."""
    node = structure.node_data()
    if node is None:
        return None
    return (node[0], tuple(map(classes_of, structure.children())))


class Jitted:
    """A function that is compiled once for each set of shapes, static values and classes."""

    def __init__(self, f: Callable[..., Any], **how: Any) -> None:
        """Take a function and arguments of `jax.jit`, those that go by name."""

        def keyed(classes: Any, /, *args: Any, **kwargs: Any) -> Any:
            return f(*args, **kwargs)

        first = inspect.Parameter("classes", inspect.Parameter.POSITIONAL_ONLY)
        own = inspect.signature(f)
        keyed.__signature__ = own.replace(parameters=[first, *own.parameters.values()])  # pyright: ignore
        keyed.__name__ = f.__name__
        self._jitted: Any = jax.jit(keyed, static_argnums=0, **how)
        functools.update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._jitted(classes_of(jax.tree.structure((args, kwargs))), *args, **kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `jax.jit(f).lower` does."""
        return self._jitted.lower(classes_of(jax.tree.structure((args, kwargs))), *args, **kwargs)

    def _cache_size(self) -> int:
        return self._jitted._cache_size()


def jit(f: Callable[..., Any] | None = None, **how: Any) -> Any:
    """Compile a function of records; also a decorator, `@jit(static_argnames="layout")`.

    Args:
        f: the function; its first parameters may be given by position.
        how: as `jax.jit`: static_argnames, donate_argnames.
    """
    return functools.partial(Jitted, **how) if f is None else Jitted(f, **how)
