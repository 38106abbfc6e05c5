"""Notebooks run again: `python -m figures.command.notebooks` stores them with their outputs.

They are committed with outputs, so that they can be read without running. A test runs each again
and compares what it printed with what is stored: see `differences`.

    python -m figures.command.notebooks              all of notebooks/
    python -m figures.command.notebooks 03_geometry  one of them
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
SECONDS = 180  # of one cell

# A sign belongs to a number only where none stands before it: "1-2" are two, of no sign.
NUMBER = re.compile(
    r"(?<![\w.])[-−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?(?:\s?%)?", re.IGNORECASE
)
STATISTICAL = "statistical"
"""Tag of a cell whose numbers count runs. On another processor a run may end elsewhere."""


class Tolerance(NamedTuple):
    """How far two numbers may be apart."""

    relative: float
    units: float  # of the last printed digit
    counts: float  # of whole numbers


ROUNDING = Tolerance(relative=1e-3, units=1.5, counts=0)
"""Sums in another order, over a training run; and a digit rounded up here and down there."""
RUNS = Tolerance(relative=2e-2, units=15, counts=2)
"""Two runs of sixteen that end elsewhere are 12.5 %."""
NOISE = 1e-6
"""Below it a number is itself an error of rounding."""

WIDGETS = "application/vnd.jupyter.widget-view+json"


def run(notebook: Any, folder: Path) -> Any:
    """Run a notebook in a folder, in place, errors kept as outputs; return it as it is stored."""
    where = {"metadata": {"path": str(folder)}}
    how: dict[str, Any] = {"timeout": SECONDS, "allow_errors": True, "record_timing": False}
    how["coalesce_streams"] = True  # what is printed at once or in two goes is the same
    metadata = dict(notebook.metadata)
    NotebookClient(notebook, resources=where, **how).execute()
    notebook.metadata.clear()
    notebook.metadata.update({k: v for k, v in metadata.items() if k != "widgets"})
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in code_cells(notebook):
        cell["outputs"] = [
            output for output in cell["outputs"] if WIDGETS not in output.get("data", {})
        ]  # they are alive where a kernel is
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts_of(cell: Any) -> str:
    """Return all that a cell has printed or shown as text; the words beside a picture aside."""
    found = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            found.append(output.text)
        elif "data" in output and not pictures_in(output):
            found.append(output.data.get("text/plain", ""))
    return "\n".join(found)


def pictures_in(output: Any) -> int:
    """Return whether an output is a picture, 1 or 0."""
    return int(any(kind.startswith("image/") for kind in output.get("data", {})))


def differences(stored: Any, again: Any) -> Iterator[str]:
    """Yield in words what a notebook says otherwise when it is run again.

    Of a picture it counts that it is there. Of a text all but its numbers must be the same, spaces
    aside; numbers may differ as `ROUNDING` says, those of a cell tagged "statistical" as `RUNS`.
    """
    for here, there in zip(code_cells(stored), code_cells(again), strict=True):
        pictures = [sum(map(pictures_in, cell.get("outputs", []))) for cell in (here, there)]
        if pictures[0] != pictures[1]:
            yield f"cell {here.id}: {pictures[0]} pictures are stored, {pictures[1]} drawn"
        loose = STATISTICAL in here.metadata.get("tags", [])
        lines = [texts_of(cell).splitlines() for cell in (here, there)]
        if len(lines[0]) != len(lines[1]):
            yield f"cell {here.id}: {len(lines[0])} lines are stored, {len(lines[1])} printed"
            continue
        for old, new in zip(*lines, strict=True):
            if not alike(old, new, loose=loose):
                yield f"cell {here.id}:\n  stored  {old.strip()}\n  now     {new.strip()}"


def alike(old: str, new: str, *, loose: bool = False) -> bool:
    """Tell whether two lines have the same words, and numbers that differ by rounding alone."""
    if _words(old) != _words(new):
        return False
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(_near(a, b, RUNS if loose else ROUNDING) for a, b in pairs)


def _words(text: str) -> str:
    return re.sub(r"\s+", "", NUMBER.sub("#", text))


def _near(old: str, new: str, tolerance: Tolerance) -> bool:
    (a, one), (b, other) = map(_read, (old, new))
    digit = min((d for d in (one, other) if d is not None), default=None)
    absolute = tolerance.counts if digit is None else tolerance.units * digit
    return abs(a - b) <= tolerance.relative * max(abs(a), abs(b)) + absolute + NOISE


def _read(number: str) -> tuple[float, float | None]:
    """Return a number, and what 1 in its last digit is worth; None for a count, "3" or "3."."""
    plain = number.lower().replace("−", "-").replace(",", "").replace("%", "").strip()
    mantissa, _, power = plain.partition("e")
    decimals = len(mantissa.partition(".")[2])
    counts = not (decimals or power or "%" in number)
    return float(plain), None if counts else 10.0 ** (int(power or 0) - decimals)


def main() -> None:
    """Run notebooks and store them with their outputs, those alone that run without an error."""
    known = [path.stem for path in sorted(FOLDER.glob("*.ipynb"))]
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(known)}; all unless given")
    names = [Path(name).stem for name in parser.parse_args().names] or known
    if not set(names) <= set(known):
        parser.error(f"there are {', '.join(known)}")
    for path in (FOLDER / f"{name}.ipynb" for name in names):
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(nbformat.read(path, as_version=4), Path(folder))
        outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
        errors = ["\n".join(o.traceback) for o in outputs if o.output_type == "error"]
        if errors:
            sys.exit("\n".join([f"{path.name} is left as it was:", *errors]))
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
