"""The command `toymodels`, also `python -m toymodels`: ours, whatever lies where it is called.

A folder `figures/` or a module `sweeps.py` of the user's own, found first by PYTHONPATH=. or by
`python -m`, must not be taken for ours. So the working folder is searched last, for modules that
a config names, and our packages are those that lie beside this one.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run the command; say what to install where a package that it needs is missing."""
    search_here_last()
    for name in ("sweeps", "figures"):
        load_own(name)
    try:
        from figures.command.cli import main as command

        command()
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("toymodels", "sweeps", "figures"):
            raise
        source = ROOT if (ROOT / "pyproject.toml").exists() else "toymodels"
        print(
            f"toymodels: the package {error.name!r} is missing; install what toymodels needs with "
            f"{sys.executable} -m pip install {source}",
            file=sys.stderr,
        )
        sys.exit(2)


def search_here_last() -> None:
    """Put the working folder at the end of what Python searches."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it was removed
        return
    first = [path for path in sys.path if os.path.realpath(path or here) != here]
    sys.path[:] = [*first, here] if len(first) < len(sys.path) else first


def load_own(name: str) -> None:
    """Import a package from beside this one, before another of its name is found."""
    spec = PathFinder.find_spec(name, [str(ROOT)])
    there = getattr(sys.modules.get(name), "__file__", None)
    if spec is None or spec.loader is None or there == spec.origin:
        return
    sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


if __name__ == "__main__":
    main()
