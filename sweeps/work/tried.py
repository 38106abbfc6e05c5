"""How many starts the cells of a solved sweep had, and what one alone found, in words."""

import xarray as xr


def starts_of(dataset: xr.Dataset) -> str:
    """Say how many starts the cells had: "8 starts", "9 to 69 starts"."""
    tried = dataset["n_tried"]
    least, most = int(tried.min()), int(tried.max())
    few = f"{least}" if least == most else f"{least} to {most}"
    return f"{few} start{'s' * (most > 1)}"


def lone_finds(dataset: xr.Dataset) -> list[str]:
    """Say in how many cells one start of several found the optimum; nothing where in none."""
    several = dataset["n_tried"].values > 1
    alone = several & (dataset["n_agree"].values == 1)
    if not alone.any():
        return []
    return [f"in {alone.sum():,} of {several.sum():,} cells one start alone found the optimum"]
