"""Names of what was built: equal for equal code and numbers, other for anything that computes."""

import functools
import inspect
import json
import os
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from mine import Magnitude

from sweeps.built import is_own, name_of
from toymodels.errors import InputError
from toymodels.optimizers import Adam

CODE = """
import dataclasses, functools
import numpy as np
from flax import struct

NOISE = 0.1
TABLE = {"a": [1, 2], "b": {3, "x", ("y", 4.0)}}

def shift(x, by=1):
    return x + by * NOISE

def scaled(by):
    def inside(x):
        return [by * v for v in x]
    return inside

class Base:
    def both(self, x):
        return self.one(x) if x in {"p", "q", "r"} else np.sin(x)

@struct.dataclass
class Task(Base):
    p: float
    kind: str = struct.field(pytree_node=False, default="plain")

    def sample(self, key):
        return shift(key), TABLE

    @property
    def size(self):
        return 2

    @staticmethod
    def error(y, t):
        return y - t

built = (Task(0.5), scaled(2), functools.partial(shift, by=3))
"""


def made(code=CODE):
    """What code of no file builds, as a notebook's cell would."""
    namespace = {"__name__": "of_the_user"}
    exec(code, namespace)
    return namespace["built"]


def test_a_name_is_the_same_in_another_process():
    code = f"space = {{'__name__': 'of_the_user'}}; exec({CODE!r}, space)\n"
    code += "from sweeps.built import name_of; print(name_of(space['built']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == name_of(made()) == name_of(made())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NOISE = 0.1", "NOISE = 0.2"),  # a global of a function that a method calls
        ("x + by", "x - by"),
        ("by=1", "by=2"),
        ("scaled(2)", "scaled(3)"),  # what a function encloses
        ("by=3", "by=4"),
        ("Task(0.5)", "Task(0.25)"),
        ('"plain"', '"other"'),
        ("y - t", "t - y"),  # a static method
        ("return 2", "return 3"),  # a property
        ("np.sin", "np.cos"),  # of the base class
        ('"q", "r"', '"q", "s"'),
        ('("y", 4.0)', '("y", 5.0)'),
        ("class Task(Base)", "class Task"),
        ("shift(key), TABLE", "shift(key), dict(TABLE)"),
    ],
)
def test_what_computes_other_numbers_has_another_name(old, new):
    assert CODE.count(old) == 1
    assert name_of(made(CODE.replace(old, new))) != name_of(made())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return x + by", "    # why\n\n    return x + by"),
        ("NOISE = 0.1", "OTHER, NOISE = 5, 0.1"),
        ("def scaled", "def unused():\n    return 1\n\ndef scaled"),
    ],
)
def test_comments_lines_and_what_is_not_used_do_not_count(old, new):
    assert name_of(made(CODE.replace(old, new))) == name_of(made())


def test_a_module_beside_it_counts_where_it_is_used(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    names = []
    for i, text in enumerate(("A, B = 1, 2", "A, B = 5, 2", "A, B = 1, 5")):
        (tmp_path / f"beside_{i}.py").write_text(text)
        code = "import beside as m\ndef f(x):\n    return m.A * x\nbuilt = f"
        monkeypatch.setitem(sys.modules, "beside", __import__(f"beside_{i}"))
        sys.modules["beside"].__name__ = "beside"
        names.append(name_of(made(code)))
    assert names[0] != names[1] and names[0] == names[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (True, 1),
        (0.0, -0.0),
        ("1", 1),
        ([1], (1,)),
        (np.float32(1), np.float64(1)),
        (np.zeros(2), np.zeros((1, 2))),
        (jnp.zeros(2), jnp.ones(2)),
        (jax.random.key(0), jax.random.key(1)),
        (Adam(b1=0.9), Adam(b1=0.8)),
        (make_run(p_active=0.5), make_run(p_active=0.5 + 1e-7)),
        (make_run(steps=5), make_run(steps=6)),
        (Magnitude.create(), Magnitude.create(0.5)),
        ({1: 2}, {1: 3}),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (jax.jit(lambda x: x), jax.jit(lambda x: 2 * x)),
        (functools.cache(lambda x: x), functools.cache(lambda x: 2 * x)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_differ_have_other_names(one, other):
    assert name_of(one) != name_of(other)
    assert name_of(one) == name_of(one)


def test_circles_end_and_the_same_twice_is_told_from_two():
    loop: list = [1]
    loop.append(loop)
    assert name_of(loop) == name_of(loop)
    one = [1]
    assert name_of([one, one]) == name_of([one, one]) != name_of([one, 2])


def test_installed_code_and_ours_is_known_by_name():
    assert not any(map(is_own, ("jax.numpy", "numpy", "json", "sys", "toymodels.tasks", "sweeps")))
    assert is_own("mine") and is_own("__main__") and is_own("of_no_file")
    assert name_of(json.dumps) == name_of(json.dumps)
    before = name_of(np.sin)
    inspect.signature(np.sin)  # which numpy notes on the function
    assert name_of(np.sin) == before != name_of(np.cos)


def test_what_cannot_be_told_from_another_is_refused():
    with pytest.raises(InputError, match=r"lock cannot be named, .* or call run_grid without out"):
        name_of(threading.Lock())
    with pytest.raises(InputError, match="it holds objects"):
        name_of(np.array([object()]))
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="nested too deeply"):
        name_of(deep)
