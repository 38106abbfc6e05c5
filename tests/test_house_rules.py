"""Sizes of files and functions, words beside public names, and tests that mirror the sources."""

import ast

from builders import ROOT

LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 300, 60, 6
FLOORS = ("toymodels", "sweeps", "figures")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path
    for floor in FLOORS
    for path in sorted((ROOT / floor).rglob("*.py"))
}
LOWER = [name for name in SOURCES if not name.startswith("figures/")]
TESTS = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "tests").rglob("*.py"))}

# Shapes of a rectangle's integrand, private and called once.
MANY_PARAMETERS = {"toymodels/exact/expected.py:_on_rectangle"}


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions_of(tree, prefix=""):
    """Yield every function and method that is not inside another function, with its full name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")


def length_of(node):
    """Count the lines of a function without its docstring."""
    first = node.body[0]
    docstring = ast.get_docstring(node, clean=False) is not None
    inside = first.end_lineno - first.lineno + 1 if docstring else 0
    return node.end_lineno - node.lineno + 1 - inside


def test_no_file_is_long():
    lengths = {n: path.read_text("utf-8").count("\n") for n, path in (SOURCES | TESTS).items()}
    assert not {name: n for name, n in lengths.items() if n > LONGEST_FILE}


def test_no_function_is_long_or_takes_many_parameters():
    """Keyword-only parameters are names of settings, and may be many."""
    long, wide = {}, {}
    for name, path in SOURCES.items():
        for function, node in functions_of(tree_of(path)):
            where = f"{name}:{function}"
            given = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            n = len([a for a in given if a not in ("self", "cls")])
            if length_of(node) > LONGEST_FUNCTION:
                long[where] = length_of(node)
            if n > MOST_PARAMETERS and where not in MANY_PARAMETERS:
                wide[where] = n
    assert not long
    assert not wide


def public_of(tree, prefix=""):
    """Yield every public class, function and method with its full name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_of(node, f"{prefix}{node.name}.")


def test_every_public_name_is_documented_and_annotated():
    silent, bare = [], []
    for name in LOWER:
        tree = tree_of(SOURCES[name])
        silent += [] if ast.get_docstring(tree) else [name]
        for public, node in public_of(tree):
            where = f"{name}:{public}"
            silent += [] if ast.get_docstring(node) else [where]
            if isinstance(node, ast.FunctionDef):
                args = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                named = [a for a in args if a.arg not in ("self", "cls")]
                missing = [a.arg for a in named if a.annotation is None]
                bare += [where] if missing or node.returns is None else []
    assert not silent
    assert not bare


def own_test_of(name):
    """Return where the tests of a source file belong: a file, or a folder, of its name."""
    stem = name.removesuffix(".py")
    folder, _, last = stem.rpartition("/")
    return f"tests/{folder}/test_{last}.py", f"tests/{stem}/"


def _test_of_work(name):
    return "/".join(("tests", "sweeps", "work", f"test_{name}.py"))


# Sources whose tests stand with others', and where.
TESTED_WITH = {
    "sweeps/estimates.py": "tests/sweeps/test_run.py",
    "sweeps/shared_folder.py": "tests/sweeps/test_computation.py",
    "sweeps/executors/base.py": "tests/sweeps/test_computation.py",
    "sweeps/executors/pace.py": "tests/sweeps/executors/test_cluster.py",
    "sweeps/machine.py": "tests/sweeps/test_computation.py",
    "toymodels/models/circuit_start.py": "tests/toymodels/models/test_circuit_network.py",
    "toymodels/__main__.py": "tests/figures/command/test_machine.py",
    "toymodels/dynamics/steps.py": "tests/toymodels/dynamics/test_loss.py",
    "sweeps/stored_models.py": "tests/sweeps/test_exchange.py",
    "toymodels/laws.py": "tests/toymodels/test_profiles.py",
    "toymodels/measures/base.py": "tests/toymodels/measures/test_columns.py",
    "toymodels/penalties/base.py": "tests/toymodels/test_losses.py",
    "toymodels/exact/candidates.py": "tests/toymodels/exact/test_neighbours.py",
    "toymodels/exact/end_points.py": "tests/toymodels/exact/test_solver.py",
    "toymodels/exact/moments.py": "tests/toymodels/exact/test_solver.py",
    "toymodels/exact/newton.py": "tests/toymodels/exact/test_solver.py",
    "toymodels/exact/search.py": "tests/toymodels/exact/test_solver.py",
    "toymodels/exact/series.py": "tests/toymodels/exact/test_fourier.py",
    "toymodels/circuits/assumptions.py": "tests/toymodels/circuits/test_small_circuits.py",
    "toymodels/circuits/checks.py": "tests/toymodels/test_checks.py",
    "toymodels/circuits/base.py": "tests/toymodels/circuits/test_network.py",
    "toymodels/circuits/forward.py": "tests/toymodels/circuits/test_network.py",
    "toymodels/circuits/interference.py": "tests/toymodels/circuits/test_theory.py",
    "toymodels/circuits/measures.py": "tests/toymodels/circuits/test_simulation.py",
}
for _name in ("arena", "devinterp", "notebook", "own", "param_decomp", "spd"):
    TESTED_WITH[f"toymodels/interop/{_name}.py"] = "tests/toymodels/interop/test_layouts.py"
for _name, _with in (("trained", "train"), ("timed_steps", "timing"), ("tried", "solve")):
    TESTED_WITH["/".join(("sweeps", "work", f"{_name}.py"))] = _test_of_work(_with)
TESTED_WITH["toymodels/circuits/constructions/rotations.py"] = _test_of_work("simulate")
TESTED_WITH["sweeps/cells.py"] = _test_of_work("checks")
TESTED_WITH["toymodels/interop/base.py"] = "tests/toymodels/interop/test_reading.py"
# The old addresses of modules that moved, kept for one version.
TESTED_WITH["toymodels/exact/one_active.py"] = "tests/toymodels/theory/test_one_active.py"
TESTED_WITH["toymodels/exact/closed_forms.py"] = "tests/toymodels/theory/test_surface_2_1.py"
for _name in ("geometry", "polytopes"):
    TESTED_WITH[f"toymodels/{_name}.py"] = f"tests/toymodels/measures/test_{_name}.py"
for _name in ("block_structured", "random_embedding", "universal_and"):
    _where = f"tests/toymodels/circuits/constructions/test_{_name}.py"
    TESTED_WITH[f"toymodels/circuits/{_name}.py"] = _where


def test_tests_mirror_the_sources():
    """Each source has a test of its name, or says here where it is tested; no entry is stale."""
    missing, stale = {}, []
    for name in (n for n in LOWER if not n.endswith("__init__.py")):
        file, folder = own_test_of(name)
        if file in TESTS or any(test.startswith(folder) for test in TESTS):
            stale += [name] if name in TESTED_WITH else []
        elif TESTED_WITH.get(name) not in TESTS:
            missing[name] = file
    assert not missing
    assert not stale
    assert not set(TESTED_WITH) - set(SOURCES)


def test_no_file_is_called_after_nothing():
    vague = {"utils.py", "helpers.py", "common.py", "trainer.py", "misc.py"}
    assert not [name for name in SOURCES if name.rpartition("/")[2] in vague]
