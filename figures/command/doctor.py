"""The verb `toymodels doctor`: one paste for a report, whatever is wrong with the machine."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from figures.command.machine import cache_folder, device_problem, shadowed

# What we stand on, and last what an extra adds.
PACKAGES = ("toymodels", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "matplotlib", "xarray")
PACKAGES += ("h5netcdf", "h5py", "pydantic", "tyro", "rich", "scikit-learn")


def print_doctor() -> None:
    """Print versions, folders and devices; last what can go wrong."""
    facts = {name: version_of(name) for name in PACKAGES}
    facts |= {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "package": str(Path(__file__).resolve().parents[2]),
        "cache": _cache(),
    }
    for name, fact in facts.items():
        print(f"{name:<12} {fact}")
    problem = device_problem()
    if problem:
        print(f"{'problem':<12} {problem}")
    else:
        import jax

        print(f"{'backend':<12} {jax.default_backend()}")
        print(f"{'devices':<12} {', '.join(map(str, jax.devices()))}")
    for name, where in shadowed().items():
        print(
            f"{'problem':<12} in this folder `import {name}` finds {where}, not ours: rename it, "
            "or work elsewhere. The command itself is not affected."
        )


def version_of(package: str) -> str:
    """Return the installed version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _cache() -> str:
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if folder:
        return folder
    return str(cache_folder() or "none, the cache folder cannot be written: set XDG_CACHE_HOME")
