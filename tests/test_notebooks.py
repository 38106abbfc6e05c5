"""Notebooks say what their code says: each is run again, once, and its output compared.

What is not as it is stored comes out of `python -m figures.command.notebooks` (`make notebooks`).
"""

import ast
import re

import nbformat
import pytest

from figures.command.notebooks import FOLDER, code_cells, differences, run, texts_of

pytestmark = pytest.mark.docs

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_FUNCTION = 5  # lines
LARGEST = 400_000  # bytes
REFRESH = "If the new output is right: make notebooks (or python -m figures.command.notebooks {})"
# Paths and addresses of a machine, and what a progress bar or a clock prints.
OF_A_MACHINE = re.compile(
    r"(?:/(?:home|root|tmp|usr|work)/|C:\\)|\b0x[0-9a-f]{6,}|\r|\d+%\||\bit/s\b"
)

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def complaints(cell):
    """Return the errors of an executed cell and all that it wrote to stderr."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            yield "\n".join(output.traceback)
        elif output.output_type == "stream" and output.name == "stderr":
            yield output.text


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.filterwarnings("default")  # of the notebook machinery; the cells' own are checked
@each
def test_notebook_runs_without_complaints_and_says_what_is_stored(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    again = run(nbformat.read(path, as_version=4), tmp_path)
    assert not [text for cell in code_cells(again) for text in complaints(cell)]
    found = "\n".join(differences(stored, again))
    assert not found, f"{path.name} says otherwise now:\n{found}\n{REFRESH.format(path.stem)}"


@each
def test_notebook_is_valid_and_stored_with_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), REFRESH.format(path.stem)
    assert any(cell.outputs for cell in code_cells(notebook))
    assert path.stat().st_size < LARGEST


@each
def test_notebook_stores_nothing_of_the_machine_that_ran_it(path):
    notebook = nbformat.read(path, as_version=4)
    texts = [texts_of(cell) for cell in code_cells(notebook)]
    assert not [text for text in texts if OF_A_MACHINE.search(text)]
    assert not [text for cell in code_cells(notebook) for text in complaints(cell)]
    assert not [cell.id for cell in notebook.cells if set(cell.metadata) - {"tags"}]


@each
def test_notebook_has_no_long_function(path):
    notebook = nbformat.read(path, as_version=4)
    nodes = [node for cell in code_cells(notebook) for node in ast.walk(ast.parse(cell.source))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert all(f.end_lineno - f.lineno < LONGEST_FUNCTION for f in functions)
