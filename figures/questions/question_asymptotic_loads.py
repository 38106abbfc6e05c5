"""From shares and errors at many loads to the largest load, the best S and how it goes with N."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from figures.kit.crossing import first_above
from sweeps.stats import mean_over_seeds

# What a measure within its limit is called.
LIMITS = {"spurious": "quiet", "error": "accurate"}

# How the largest load might go with N: forms of one number, and a power of N with two.
FORMS = {
    "a constant": np.ones_like,
    "1 / log N": lambda n: 1 / np.log(n),
    "1 / log² N": lambda n: np.log(n) ** -2,
}
POWER = "power of N"


def largest_loads(measured: xr.Dataset, limits: Mapping[str, float]) -> xr.Dataset:
    """Find, for each limit, the load up to which a measure keeps to it.

    Between two loads it is read off a straight line in logarithms.

    Args:
        measured: with `spurious` and `error` (…, load), NaN where nothing was measured.
        limits: of both.

    Returns:
        `largest` (limit, …), NaN where the limit is passed from the first load on or nothing was
        measured, and `passed`, 0 where it is not passed: then the load may be larger.
    """
    load = measured["load"].values
    parts = []
    for name, limit in limits.items():
        of = measured[name].transpose(..., "load")
        rows = of.values.reshape(-1, load.size)
        pairs = np.array([_largest(load, row, limit) for row in rows]).reshape(*of.shape[:-1], 2)
        dims = of.dims[:-1]
        part = xr.Dataset({"largest": (dims, pairs[..., 0]), "passed": (dims, pairs[..., 1])})
        parts.append(part.assign_coords({d: of[d] for d in dims if d in of.coords}))
    found = xr.concat(parts, "limit").assign_coords(limit=[LIMITS[name] for name in limits])
    return found.assign(passed=found["passed"].astype(np.int8))


def _largest(load: NDArray, row: NDArray, limit: float) -> tuple[float, bool]:
    some = np.isfinite(row) | np.isposinf(row)
    if not some.any():
        return np.nan, False
    kept = np.log(np.clip(row[some], 1e-3 * limit, 1e6 * limit))
    at = first_above(np.log(load[some]), kept, np.log(limit))
    if np.isnan(at):
        return float(load[some][-1]), False
    return (np.nan, True) if kept[0] > np.log(limit) else (float(np.exp(at)), True)


def chosen(largest: xr.DataArray, n_choosing: int) -> xr.DataArray:
    """Return the redundancy of the largest load, by the mean over the first so many seeds.

    A network without such a load counts as 0.
    """
    return largest.isel(seed=slice(n_choosing)).fillna(0).mean("seed").idxmax("redundancy")


def judged(found: xr.Dataset, n_choosing: int, fixed: int) -> xr.Dataset:
    """Return loads of the networks that had no part in the choice, with their means.

    Args:
        found: of `largest_loads`, with (limit, …, redundancy, seed).
        n_choosing: how many of the seeds chose.
        fixed: the redundancy that is judged beside the best.

    Returns:
        `largest` (choice, limit, …, seed), `passed`, its `mean`, `low`, `high` over seeds, and
        `best` (limit, …), the redundancy chosen.
    """
    best = chosen(found["largest"], n_choosing)
    others = found.isel(seed=slice(n_choosing, None))
    choices = [others.sel(redundancy=of).drop_vars("redundancy") for of in (best, fixed)]
    both = xr.concat(choices, "choice").assign_coords(choice=["tuned", "fixed"])
    lost = both["largest"].isnull().astype(np.int8)
    over = mean_over_seeds(both.assign(diverged=lost), "largest")
    return both.assign(
        mean=over["average"],
        low=over["low"],
        high=over["high"],
        passed=both["passed"].where(both["largest"].notnull(), 1).min("seed").astype(np.int8),
        best=best,
    )


def counting_failures(found: xr.Dataset) -> xr.Dataset:
    """Return means and trends, NaN where some of the networks fail from the first load on.

    Such a network has no largest load, so that a mean of the others would be too high.

    Args:
        found: of `judged`, with trends, `n_judging` and `n_judging_widest`. Fewer networks at the
            largest width are no failures.
    """
    is_widest = found["width"] == found["width"].max()
    n_asked = xr.where(is_widest, found["n_judging_widest"], found["n_judging"])
    asked = xr.DataArray(np.arange(found.sizes["seed"]), dims="seed") < n_asked
    holds = found["largest"].notnull()
    whole = holds.where(asked, True).all("seed") | ~holds.any("seed")
    known = {name: found[name].where(whole) for name in ("mean", "low", "high")}
    trends = [n for n in found if str(n).endswith(("slope", "slope_low", "slope_high"))]
    known |= {str(name): found[name].where(whole.all("width")) for name in [*trends, "off"]}
    return found.assign(known)


class Trend(NamedTuple):
    """How a load goes with N; NaN where that is not known."""

    slope: float  # of its logarithm over that of N
    low: float
    high: float
    log_slope: float  # of its logarithm over that of log N
    log_low: float
    log_high: float
    off: tuple[float, ...]  # by FORMS, then POWER: rms of what a form is off, of the logarithm


def trend(n_copies: NDArray, mean: NDArray, is_known: bool) -> Trend:
    """Fit means over networks: exponents with 95 % intervals, and how far each form is off.

    Args:
        n_copies: N.
        mean: of the largest load at each N.
        is_known: false where some load is only a lower bound, or no interval.
    """
    n_forms = len(FORMS) + 1
    if not is_known or n_copies.size < 3 or not np.isfinite(mean).all():
        return Trend(*[np.nan] * 6, off=(np.nan,) * n_forms)
    n, y = n_copies.astype(float), np.log(mean)
    power, logs = _sloped(np.log(n), y), _sloped(np.log(np.log(n)), y)
    off = [_spread(y - np.log(form(n)), 1) for form in FORMS.values()]
    off.append(_spread(y - power[0] * np.log(n), 2))
    return Trend(*power, *logs, off=tuple(off))


def _sloped(x: NDArray, y: NDArray) -> tuple[float, float, float]:
    """Return the slope of a straight line with its 95 % interval."""
    slope = float(np.polyfit(x, y, 1)[0])
    error = _spread(y - slope * x, 2) / np.sqrt(np.sum((x - x.mean()) ** 2))
    half = float(stats.t.ppf(0.975, x.size - 2) * error)
    return slope, slope - half, slope + half


def _spread(rest: NDArray, n_fitted: int) -> float:
    return float(np.sqrt(np.sum((rest - rest.mean()) ** 2) / max(rest.size - n_fitted, 1)))
