"""Imports run figures -> sweeps -> toymodels, never back, and in no circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("toymodels", "sweeps", "figures")
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


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


@pytest.mark.parametrize("name", MODULES)
def test_no_floor_imports_one_above_it(name):
    above = FLOORS[FLOORS.index(name.split(".")[0]) + 1 :]
    for imported in imports_of(MODULES[name]):
        assert imported.split(".")[0] not in above, f"{name} imports {imported}"


def test_there_is_no_circle():
    graph = {
        name: {i for i in imports_of(path, top_only=True) if i in MODULES and i != name}
        for name, path in MODULES.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


# One file per kind of cell, trained or simulated, and one for the types that both use.
VALIDATING = {"sweeps.config", "sweeps.circuits_config", "sweeps.fields"}


@pytest.mark.parametrize("name", MODULES)
def test_pydantic_lives_in_the_configs_alone(name):
    used = {imported.split(".")[0] for imported in imports_of(MODULES[name])}
    assert ("pydantic" in used) == (name in VALIDATING)


@pytest.mark.parametrize("name", [m for m in MODULES if m.split(".")[0] == "toymodels"])
def test_the_science_knows_no_datasets_and_no_drawing(name):
    used = {imported.split(".")[0] for imported in imports_of(MODULES[name])}
    assert not used & {"xarray", "matplotlib", "rich", "tyro", "h5netcdf"}
