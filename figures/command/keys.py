"""Write docs/keys.md: every key of a config, from the docstrings of what takes it.

python -m figures.command.keys
"""

from collections.abc import Sequence

from figures.kit.entry import FIGURES
from sweeps.config.derived import FUNCTIONS
from sweeps.config.keys import OUTER, Key, keys_of, keys_of_one, of_profiles
from sweeps.config.meanings import first_line
from sweeps.config.recipes import RECIPES
from sweeps.config.registry import NAMES, SEVERAL, TABLES, find
from sweeps.config.toml import inline
from toymodels.profiles import PROFILES

PAGE = FIGURES.parent / "docs" / "keys.md"

INTRO = """# Keys of a config

Made by `make keys` from the docstrings of what takes each key. `toymodels show NAME` prints the
same for one figure, sweep or TOML file, with the values that it has.

Numbers have no unit but what they count: a meaning begins with it (steps, examples, features,
neurons). Densities are called `p_active`, the paper's 1 - S. A key of a table is written
`[features]` and `n_sets = 2`, or `features = { n_sets = 2 }`, or on the command line
`features.n_sets=2`; `p_active` may stand outside its table. *needed* is what has no default.
A name with a colon, `my_module:MyModel`, is a thing of your own; its parameters are keys too."""

AXES = """## Axes

A key under `[grid]` takes several values, and every combination is a cell; under `[zip.NAME]` axes
move together. Values are a list or a spacing:

| values | are |
|---|---|
| `[0.1, 0.5]` | these; names as well, `["adam", "sgd"]` |
| `{ range = 8 }`, `{ range = [2, 6] }` | 0 … 7; 2 … 5 |
| `{ linear = [0, 1, 11] }` | 11 numbers, equally spaced |
| `{ log = [0.01, 1, 20] }` | 20 numbers, equally spaced in the logarithm |

`seed` is always an axis: a model each, with first weights and data of its own."""

WHAT = {
    "work": "Kinds of work",
    "features": "Features: what the world looks like",
    "values": "Values of active features",
    "model": "Models",
    "task": "Tasks: what a model is asked",
    "estimator": "Estimators: how the loss of a step is computed",
    "optimizer": "Optimizers",
    "schedule": "Schedules of the learning rate",
    "penalties": "Penalties: added to the loss in training alone",
    "measures": "Measures of a trained model",
    "circuits": "Circuits that are simulated",
    "assignment": "Assignments of neurons to circuits",
    "gating": "Gating of circuits",
    "gate": "Gates that rule circuits out",
    "cleaning": "Clean-ups between layers of circuits",
    "small_circuit": "Circuits that hold one of few values",
}


def page() -> str:
    """Return the text of docs/keys.md."""
    functions = ", ".join(f"`{name}`" for name in FUNCTIONS)
    derive = "`[derive]` sets a key to a function of axis values, `{ function = …, of = […] }`:"
    parts = [INTRO, "## The sweep itself", _table(list(OUTER.values())), AXES]
    parts += [f"{derive}\n{functions}.", RECIPE, _recipes()]
    for family in NAMES:
        parts += [f"## {WHAT[family]}", _where(family), _names(family)]
        if family == "work":
            parts += [part for name in NAMES[family] for part in _kind(name)]
        elif keys := keys_of(family):
            parts.append(_table(keys, len(NAMES[family])))
    parts += ["## Profiles", PROFILE, _profiles(), _table(of_profiles("importance"), len(PROFILES))]
    return "\n\n".join(parts) + "\n"


RECIPE = """## Recipes

Named by `recipe`: a set of keys at once. A key that is given beside `recipe = "notebook"` wins over
it, and so does an axis. On the command line and in `overrides`, `recipe=notebook` wins over the
keys of the file, and other overrides win over it."""


def _recipes() -> str:
    """Return a table of recipes, with their keys for sizes of an example."""
    rows = ["| recipe | what it is | keys, here for 400 features, 30 hidden and 20 instances |"]
    rows += ["|---|---|---|"]
    for name, keys_of_recipe in RECIPES.items():
        keys = ", ".join(f"`{k} = {inline(v)}`" for k, v in keys_of_recipe(400, 30, 20).items())
        rows.append(f"| `{name}` | {_cell(first_line(keys_of_recipe))} | {keys} |")
    return "\n".join(rows)


PROFILE = """What a list gives for each feature may be a table, here of `importance`;
`features.p_active` takes the same."""


def _kind(name: str) -> tuple[str, str]:
    return f'### work = "{name}"', _table(keys_of_one("work", name))


def _where(family: str) -> str:
    first = next(iter(NAMES[family]))
    if family in TABLES:
        return f'Named by `{family}.{TABLES[family]}`, `"{first}"` unless given.'
    if family in SEVERAL:
        return f'`{family} = ["{first}"]`, or a table with settings, `{family}.{first} = {{ … }}`.'
    if family in ("model", "circuits"):
        return f'Named by `{family}`, such as `"{first}"`.'
    return f'Named by `{family}`, `"{first}"` unless given.'


def _names(family: str) -> str:
    rows = [f"| `{name}` | {_cell(first_line(_told(family, name)))} |" for name in NAMES[family]]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def _told(family: str, name: str) -> object:
    """Return what has the docstring: a thing, or the class of one that is an object."""
    thing = find(family, name)
    return type(thing) if family == "work" else thing


def _profiles() -> str:
    rows = [f"| `{name}` | {_cell(first_line(f))} |" for name, f in PROFILES.items()]
    return "\n".join(["| `law` | what it is |", "|---|---|", *rows])


def _table(keys: Sequence[Key], n_things: int = 1) -> str:
    """Return a table of keys; where several things take keys, it says which."""
    head = ["key", *(["of"] if n_things > 1 else []), "type", "default", "meaning"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for key in keys:
        everyone = len(key.of) == n_things
        of = "all" if everyone else ", ".join(f"`{name}`" for name in key.of)
        default = f"`{key.default}`" if key.default not in ("", "needed") else f"{key.default}"
        cells = [f"`{key.path}`", *([of] if n_things > 1 else []), key.type, default, key.meaning]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
