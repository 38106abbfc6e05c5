"""Two numbers in one: how well a nonlinear compression does, and how steep it must be to do so.

x and y, uniform on [0, 1], are squeezed into one number

    t = (s(Z x) + y) / Z,

where s is a staircase: the integer part of Z x, in which each of the Z - 1 steps is replaced by a
straight ramp of width `ramp`, in units of a stair (in x it is `ramp` / Z wide), centred where the
step was. With `ramp` = 0 it is the integer part itself, with `ramp` = 1 nearly a straight line.

- The natural decoder reads t as if there were no ramps: x ~ (floor(Z t) + 1/2) / Z, the centre of
  the stair, and y ~ Z t - floor(Z t). On a ramp, where Z t = j - 1 + r + y with r from 0 to 1, it
  is wrong: y is off by r or r - 1, with mean square 1/6, and x by half a stair.
- The best decoder is E[x | t] and E[y | t]. Its error needs the law of x and y given t: a flat
  stretch, where y is known, and two ramps, where x and y trade. Its mean is a ratio of polynomials
  in the fraction of Z t, integrated here by Gauss-Legendre quadrature.

Errors are expected squares, summed over x and y. Plain numpy in float64.

Source: Elhage et al. 2022, appendix on nonlinear compression. It asks how the error grows with the
width of the ramps; the formulas are derived here.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.polynomial.legendre import leggauss

from toymodels.checks import Floats, floats, require_broadcast, require_same_axes
from toymodels.errors import InputError

NODES = 64
"""Of the quadrature over the fraction of Z t: exact to rounding for ramps of 0.001 and more."""


def error_linear_compression() -> float:
    """Return the least error of a linear map to one number and back: 1/12.

    By PCA the best one keeps the leading principal component; what is lost is the other eigenvalue
    of the covariance of x and y, 1/12 times the identity.
    """
    covariance = np.eye(2) / 12
    return float(np.linalg.eigvalsh(covariance)[0])


def error_natural_decoder(n_stairs: npt.ArrayLike, ramp: npt.ArrayLike) -> Floats:
    """Return the error of the natural decoder, in closed form.

    With e = `ramp` and c = 1 - 1/Z, the share of stairs that have a ramp,

        E (x - x~)^2 = (1 + c e^2) / (12 Z^2),        E (y - y~)^2 = c e / 6.

    Args:
        n_stairs: Z, whole numbers from 1.
        ramp: e, from 0 to 1, in units of a stair.

    Raises:
        InputError: a number out of range, or shapes that do not broadcast.
    """
    Z, e = _checked(n_stairs, ramp)
    c = 1 - 1 / Z
    return (1 + c * e**2) / (12 * Z**2) + c * e / 6


def break_even_ramp(n_stairs: npt.ArrayLike) -> Floats:
    """Return the width of ramps at which the natural decoder is as good as a linear map.

    (Z + 1) / (Z + sqrt(Z^2 + 1 + 1/Z)): 0.69 for two stairs, and 1/2 for very many.

    Args:
        n_stairs: Z, whole numbers from 2; one stair is the linear map at any width.

    Raises:
        InputError: a number out of range.
    """
    Z = _checked_stairs(n_stairs, 2)
    return (Z + 1) / (Z + np.sqrt(Z**2 + 1 + 1 / Z))


def error_best_decoder(n_stairs: npt.ArrayLike, ramp: npt.ArrayLike) -> Floats:
    """Return the error of the best decoder, E[x | t] and E[y | t]: what t itself has lost.

    Args:
        n_stairs: Z, whole numbers from 1.
        ramp: e, from 0 to 1, in units of a stair.

    Raises:
        InputError: a number out of range, or shapes that do not broadcast.
    """
    Z, e = np.broadcast_arrays(*_checked(n_stairs, ramp))
    flat = [_best(int(z), float(w)) for z, w in zip(Z.ravel(), e.ravel(), strict=True)]
    return np.reshape(flat, Z.shape)[()]


def _best(Z: int, e: float) -> float:
    """Return 2/3 less E[E[x|t]^2 + E[y|t]^2]; k is the integer part of Z t and r its fraction."""
    r, weights = _nodes()
    k = np.arange(Z)[:, None]
    down, up = (k > 0) * e, (k < Z - 1) * e  # ramps below and above the stair
    start, end = k + down / 2, k + 1 - up / 2  # of the flat stretch, in Z x
    density = (end - start) + up * r + down * (1 - r)
    x = (end**2 - start**2) / 2 + up * ((k + 1 - e / 2) * r + e * r**2 / 2)
    x = x + down * ((k - e / 2) * (1 - r) + e * (1 - r**2) / 2)
    y = (end - start) * r + up * r**2 / 2 + down * (1 - r**2) / 2
    known = ((x / Z) ** 2 + y**2) / np.where(density > 0, density, 1.0)
    return 2 / 3 - float(np.sum(known * weights)) / Z


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Return the nodes and weights of the quadrature from 0 to 1."""
    nodes, weights = leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


def _checked(n_stairs: npt.ArrayLike, ramp: npt.ArrayLike) -> tuple[Floats, Floats]:
    require_same_axes(n_stairs=n_stairs, ramp=ramp)
    Z, e = _checked_stairs(n_stairs), floats("ramp", ramp)
    bad = e[~((e >= 0) & (e <= 1))]
    if bad.size:
        raise InputError(f"ramp must lie in [0, 1], a share of a stair, got {bad[0]}.")
    require_broadcast(n_stairs=Z, ramp=e)
    return Z, e


def _checked_stairs(n_stairs: npt.ArrayLike, least: int = 1) -> Floats:
    Z = floats("n_stairs", n_stairs)
    bad = Z[~((least <= Z) & (Z <= 10_000) & (np.floor(Z) == Z))]
    if bad.size:
        raise InputError(f"n_stairs must be whole numbers from {least} to 10,000, got {bad[0]}.")
    return Z
