"""What the command makes of the machine it meets: its terminal, cache folder, devices and folders.

Light: nothing here imports JAX before it is asked whether JAX can start.
"""

import io
import os
import shutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path

# Columns that help is laid out for at least: tyro never ends below 8.
FEWEST_COLUMNS = 40

OURS = ("figures", "sweeps", "toymodels")


def prepare() -> None:
    """Make the streams, the width of the terminal and the cache folder such that all goes well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show becomes "?"
            stream.reconfigure(errors="replace")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in step with progress on stderr, in a log too
    if shutil.get_terminal_size().columns < FEWEST_COLUMNS:
        os.environ["COLUMNS"] = str(FEWEST_COLUMNS)
    folder = cache_folder()
    if folder is not None:
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES", "none")


def cache_folder() -> Path | None:
    """Return where compiled programs are kept, in the user's cache folder; None if nowhere."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or (
            Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
        )
        folder = Path(home) / "toymodels" / "jax"
        there = next(path for path in (folder, *folder.parents) if path.exists())
        return folder if there.is_dir() and os.access(there, os.W_OK) else None
    except (OSError, RuntimeError):  # a parent that cannot be searched; no home
        return None


def device_problem() -> str:
    """Say in one line why JAX cannot start on this machine, or nothing where it can."""
    try:
        import jax

        jax.devices()
    except Exception as error:  # JAX raises whatever its platforms come upon, with or without words
        platforms = os.environ.get("JAX_PLATFORMS")
        said = " ".join(str(error).split()).rstrip(".") or "no device of this kind was found"
        if not platforms:
            return f"JAX cannot start: {said}."
        return (
            f"JAX cannot start with JAX_PLATFORMS = {platforms!r}: {said}. "
            "Unset JAX_PLATFORMS, or set it to cpu."
        )
    return ""


def expanded(argument: str) -> str:
    """Put the home folder where an argument, or the value of an option in it, begins with ~."""
    option, equals, value = argument.partition("=")
    if option.startswith("--") and equals:
        return f"{option}={os.path.expanduser(value)}"
    return os.path.expanduser(argument)


def shadowed() -> dict[str, str]:
    """Return which of our packages Python, started in this folder, would find elsewhere, and where.

    The command itself always takes those that lie beside each other.
    """
    root, found = Path(__file__).resolve().parents[2], {}
    for name in OURS:
        spec = PathFinder.find_spec(name, [os.getcwd(), *sys.path])
        where = spec.origin if spec else None
        if where and Path(where).resolve() != root / name / "__init__.py":
            found[name] = where
    return found
