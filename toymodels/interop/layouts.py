"""The layouts that are known, one line for each; and which one a file has."""

from collections.abc import Mapping

from toymodels.errors import InputError, hint, listed
from toymodels.interop.arena import ARENA
from toymodels.interop.base import Arrays, Layout, misfit, shapes_of, sizes_in
from toymodels.interop.devinterp import DEVINTERP
from toymodels.interop.notebook import NOTEBOOK
from toymodels.interop.own import OWN
from toymodels.interop.param_decomp import PARAM_DECOMP
from toymodels.interop.sae_lens import DICTIONARY, SYNTHETIC
from toymodels.interop.spd import SPD

LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "toymodels": OWN,
    "notebook": (NOTEBOOK,),
    "arena": (ARENA,),
    "spd": (SPD,),
    "param-decomp": (PARAM_DECOMP,),
    "devinterp": (DEVINTERP,),
    "sae-lens": (DICTIONARY, SYNTHETIC),
}


def named(name: str) -> tuple[Layout, ...]:
    """Return the layouts of a name.

    Raises:
        InputError: there is none.
    """
    if name not in LAYOUTS:
        raise InputError(f"no layout {name!r}.{hint(name, LAYOUTS)} There are {listed(LAYOUTS)}.")
    return LAYOUTS[name]


def recognised(arrays: Arrays) -> tuple[Layout, str]:
    """Return the layout whose names and shapes arrays have, and what stands before every name.

    Raises:
        InputError: none fits, or more than one does.
    """
    found = [
        (layout, *fit)
        for layouts in LAYOUTS.values()
        for layout in layouts
        if (fit := layout.recognises(set(arrays))) is not None
    ]
    most = max((n for _, n, _ in found), default=0)
    found = [(layout, start) for layout, n, start in found if n == most]
    if not found:
        raise InputError(
            f"here is {shapes_of(arrays)}, the names of no layout that is known ({listed(LAYOUTS)})"
            ": name a matrix [hidden, features] W and its bias b, or name the layout with --as."
        )
    if len(found) > 1:
        fitting = [
            (layout, start)
            for layout, start in found
            if sizes_in(layout, without(start, arrays)) is not None
        ]
        if not fitting:
            told = (misfit(layout, without(start, arrays)) for layout, start in found)
            raise InputError(" ".join(told))
        if len(fitting) > 1:
            raise InputError(
                f"{shapes_of(arrays)} could be {listed(layout.name for layout, _ in fitting)}: say "
                "which with --as NAME (layout=NAME)."
            )
        found = fitting
    return found[0]


def without(start: str, arrays: Arrays) -> Arrays:
    """Return the arrays whose names begin with a text, without it."""
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
