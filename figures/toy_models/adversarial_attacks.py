"""What attacks add to the loss of trained models, and what their vulnerability goes with.

Beside the sweep's own attack, the paper's, three questions: is another length the same story, how
near is the analytic attack to the worst that gradient ascent finds, and what would columns of the
same lengths in random directions give.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from sweeps.stats import mean_over_seeds
from sweeps.stored import restore
from toymodels.measures.adversarial import Adversarial
from toymodels.streams import Stream, stream

N_EXAMPLES = 128
LONGER = 3.0  # times the sweep's own attack
ASCENT = 15  # steps; 40 find 0.1 % more

# How models are attacked. The first is the sweep's own, the last attacks other directions of W.
ATTACKS = ("analytic", "longer", "strongest", "random directions")


def attacks(dataset: xr.Dataset) -> xr.Dataset:
    """Attack every model of the sweep again.

    `vulnerability` over (attack_kind, p_active, seed), NaN where a run has diverged; `found`
    (p_active, seed): what the analytic attack adds over what the strongest adds.
    """
    budget = float(dataset["budget_adversarial"])
    densities, seeds = dataset["p_active"].values, dataset["seed"].values
    every, found = np.full((len(ATTACKS), len(densities), len(seeds)), np.nan), []
    for i, j in np.ndindex(every.shape[1:]):
        run, model = restore(dataset, p_active=densities[i].item(), seed=seeds[j].item())
        turned = model.replace(W=_random_directions(model.W, int(seeds[j])))
        ratios, share = _attacked(run, model, turned, budget)
        every[:, i, j] = ratios
        found.append(share)
    kept = dataset["diverged"].transpose("p_active", "seed").values == 0
    cells = ("p_active", "seed")
    found = np.where(kept, np.reshape(found, every.shape[1:]), np.nan)
    variables = {"vulnerability": (("attack_kind", *cells), np.where(kept, every, np.nan))}
    coords = {"attack_kind": list(ATTACKS), "p_active": densities, "seed": seeds}
    return xr.Dataset(variables | {"found": (cells, found)}, coords)


@partial(jax.jit, static_argnums=3)
def _attacked(run: Any, model: Any, turned: Any, budget: float) -> tuple[jax.Array, jax.Array]:
    """Return the vulnerability by each attack, and the analytic one's share of the strongest."""
    key = stream(0, Stream.MEASURE)
    plain, longer, strongest = (
        Adversarial(length, N_EXAMPLES, ascent)
        for length, ascent in ((budget, 0), (LONGER * budget, 0), (budget, ASCENT))
    )
    of = [
        attack(run, which, key)
        for attack, which in (
            (plain, model),
            (longer, model),
            (strongest, model),
            (plain, turned),
        )
    ]
    share = of[0]["loss_of_attack"].values / of[2]["loss_of_attack"].values
    return jnp.stack([one["vulnerability"].values for one in of]), share


def _random_directions(W: Any, seed: int) -> Any:
    """Return columns of the same lengths as those of `W [M, F]`, in random directions."""
    drawn = np.random.default_rng(seed).normal(size=W.shape).astype(np.float32)
    lengths = jnp.linalg.norm(W, axis=0, keepdims=True)
    return lengths * drawn / np.linalg.norm(drawn, axis=0, keepdims=True)


def correlations(of: xr.Dataset) -> xr.Dataset:
    """Correlate vulnerability and features per dimension over densities, in each seed.

    `pearson`, `spearman` over (attack_kind), means over seeds, with `_low` and `_high` ends of
    their 95 % intervals, which are NaN with one seed; NaN with fewer than three densities.
    """
    x = of["features_per_dimension"].transpose("seed", "p_active").values
    y = of["vulnerability"].transpose("attack_kind", "seed", "p_active").values
    result = {}
    for name, f in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        each = [[_correlation(f, a, b) for a, b in zip(x, kind, strict=True)] for kind in y]
        values = xr.DataArray(each, dims=("attack_kind", "seed"), coords={"seed": of["seed"]})
        data = xr.Dataset({name: values, "diverged": values.isnull()})
        mean = mean_over_seeds(data, name)
        result |= {f"{name}{end}": mean[part] for end, part in ENDS}
    return xr.Dataset(result)


ENDS = (("", "average"), ("_low", "low"), ("_high", "high"))


def _correlation(f: Any, x: NDArray, y: NDArray) -> float:
    some = np.isfinite(x) & np.isfinite(y)
    x, y = x[some], y[some]
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(f(x, y).statistic)
