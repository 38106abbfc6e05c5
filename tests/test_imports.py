"""Imports run figures -> sweeps -> toymodels, never back, in no circle, and not deep."""

import ast
import importlib
from graphlib import TopologicalSorter

import pytest
from builders import ROOT

FLOORS = ("toymodels", "sweeps", "figures")
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
# One more than it was: the checks at the border of public functions stand above the errors.
LONGEST_CHAIN = 10


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports_of(path, top_only=False):
    """Every module that a file imports; `from a import b` counts as a.b where that is a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


IMPORTS = {name: set(imports_of(path)) for name, path in MODULES.items()}
MAIN = "toymodels.__main__"  # `python -m toymodels` is the command, which stands on top


def packages_of(name):
    """Return the first names of what a module imports."""
    return {imported.split(".")[0] for imported in IMPORTS[name]}


def test_no_floor_imports_one_above_it():
    for name in set(MODULES) - {MAIN}:
        above = FLOORS[FLOORS.index(name.split(".")[0]) + 1 :]
        assert not packages_of(name) & set(above), name


def test_there_is_no_circle():
    graph = {
        name: {i for i in imports_of(path, top_only=True) if i in MODULES and i != name}
        for name, path in MODULES.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def longest_chain(*floors):
    """Return the longest chain of modules that import each other, anywhere in their files."""
    names = {name for name in MODULES if name.split(".")[0] in floors} - {MAIN}
    graph = {name: IMPORTS[name] & names - {name} for name in names}
    chain = {}
    for name in TopologicalSorter(graph).static_order():
        chain[name] = [name, *max((chain[i] for i in graph[name]), key=len, default=[])]
    return max(chain.values(), key=len)


def test_no_chain_of_imports_is_long():
    chain = longest_chain(*FLOORS)
    assert len(chain) <= LONGEST_CHAIN, " → ".join(chain)


def test_no_chain_of_imports_of_the_lower_floors_is_long():
    chain = longest_chain("toymodels", "sweeps")
    assert len(chain) <= LONGEST_CHAIN, " → ".join(chain)


def test_pydantic_lives_where_signatures_are_checked():
    assert [n for n in MODULES if "pydantic" in packages_of(n)] == ["sweeps.config.signatures"]


def test_the_science_knows_no_datasets_and_no_drawing():
    above = {"xarray", "matplotlib", "rich", "tyro", "h5netcdf"}
    science = [name for name in MODULES if name.split(".")[0] == "toymodels"]
    assert not [name for name in science if packages_of(name) & above]


PACKAGES = [
    name
    for name, path in MODULES.items()
    if name.split(".")[0] != "figures" and path.name == "__init__.py"
]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_that_a_room_offers_is_there(name):
    package = importlib.import_module(name)
    for public in getattr(package, "__all__", ()):
        assert hasattr(package, public), f"{name}.{public}"
    with pytest.raises(AttributeError):
        _ = package.no_such_name
