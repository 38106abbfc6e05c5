"""The command `toymodels`. Heavy things are imported inside a command, so that help is quick."""

import os
import sys
from collections.abc import Callable
from inspect import signature as inspect_signature
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from figures.command.machine import device_problem, expanded, prepare

Out = Annotated[Path, arg(help="folder for what is made", metavar="DIR")]
Memory = Annotated[float, arg(help="GiB that training may take at a time", metavar="GIB")]
Parts = Annotated[
    str | None,
    arg(
        help="compute every Nth block from the Ith on, beside processes with other parts of the "
        "same folder; I from 0 to N-1 or from 1 to N",
        metavar="I/N",
    ),
]
Cluster = Annotated[
    str | None,
    arg(
        help="compute blocks by a Dask cluster: local:N, processes of this machine, or a "
        "scheduler's tcp://HOST:PORT or file",
        metavar="WHERE",
    ),
]
Overrides = Annotated[
    Positional[tuple[str, ...]],
    arg(help="what differs from the file, such as steps=500", metavar="KEY=VALUE"),
]


def list_entries(*, json: bool = False) -> None:
    """List the figures and sweeps, name first."""
    from figures.command.catalogue import print_list

    print_list(as_json=json)


def cite(
    names: Annotated[Positional[tuple[str, ...]], arg(help="figures", metavar="NAME")] = (),
) -> None:
    """Print BibTeX of the sources of figures, or of all."""
    from figures.command.catalogue import print_citation

    print_citation(names)


def figure(
    names: Annotated[
        Positional[tuple[str, ...]],
        arg(help="figures to make, then KEY=VALUE of what differs", metavar="NAME|KEY=VALUE"),
    ] = (),
    *,
    group: Annotated[
        str | None,
        arg(help="every figure of toy-models, exact, circuits, …, or quick", metavar="GROUP"),
    ] = None,
    all: bool = False,
    quick: Annotated[bool, arg(help="old name of --group quick")] = False,
    fast: Annotated[bool, arg(help="a smaller version that says so")] = False,
    out: Out = Path("out"),
    seed: int | None = None,
    from_: Annotated[
        Path | None, arg(name="from", help="only draw, from this dataset", metavar="FILE.nc")
    ] = None,
    format: Annotated[
        str, arg(help="of png, pdf, svg, gif, mp4, with commas", metavar="LIST")
    ] = "png,pdf",
    memory: Memory = 2.0,
    fresh: Annotated[bool, arg(help="start over although finished work is there")] = False,
    part: Parts = None,
    cluster: Cluster = None,
) -> None:
    """Make figures: train what is missing, draw, and say where the pictures are.

    NAME.png is of the figure as it comes; where something differs the name says what.
    """
    from figures.command.making import Wanted, make_figures

    overrides = tuple(name for name in names if "=" in name)
    if seed is not None:
        overrides = (f"seed={seed}", *overrides)
    make_figures(
        tuple(name for name in names if "=" not in name),
        Wanted(fast, out, overrides, from_, format, memory, fresh, part, cluster),
        group="all" if all else "quick" if quick else group,
    )


def sweep_run(
    file: Annotated[Positional[str], arg(help="a TOML file or a figure's name", metavar="FILE")],
    overrides: Overrides = (),
    *,
    out: Out = Path("out"),
    dry_run: Annotated[bool, arg(help="print grid, blocks, memory and time; keep nothing")] = False,
    memory: Memory = 2.0,
    fresh: Annotated[bool, arg(help="start over although finished blocks are there")] = False,
    part: Parts = None,
    cluster: Cluster = None,
) -> None:
    """Run a sweep; it resumes where an earlier one of the same config stopped."""
    from figures.command.verbs import run_file

    how = {"dry_run": dry_run, "memory": memory, "fresh": fresh}
    run_file(file, overrides, out, part=part, cluster=cluster, **how)


def show(
    file: Annotated[Positional[str], arg(help="a TOML file or a name of the list", metavar="FILE")],
    overrides: Overrides = (),
) -> None:
    """Show the config of a figure, sweep or TOML file: all that can be changed, as TOML."""
    from figures.command.show import print_config
    from figures.command.verbs import load

    print_config(file, overrides, load)


def sweep_status(folder: Annotated[Positional[Path], arg(metavar="DIR")] = Path("out")) -> None:
    """Say how far the sweeps in a folder are."""
    from figures.command.verbs import print_status

    print_status(folder)


def inspect(
    file: Annotated[
        Positional[Path],
        arg(help="a matrix, a model of any known layout, or a result", metavar="FILE"),
    ],
    selection: Annotated[
        Positional[tuple[str, ...]],
        arg(help="which models: seed=0 of a result, instance=3 of a file", metavar="KEY=VALUE"),
    ] = (),
    *,
    as_: Annotated[
        str | None,
        arg(
            name="as",
            help="whose layout: toymodels ([hidden, features]), notebook, arena, spd, "
            "param-decomp, devinterp, sae-lens; recognised unless given",
            metavar="LAYOUT",
        ),
    ] = None,
    transpose: Annotated[bool, arg(help="rows and columns are the other way round")] = False,
    linear: Annotated[bool, arg(help="the model has no ReLU")] = False,
    p: Annotated[
        str | None,
        arg(help="density of its world, a number or list: tells its loss", metavar="P"),
    ] = None,
    importance: Annotated[
        str | None, arg(help="a number, a list or a profile, '{ ratio = 0.9 }'", metavar="I")
    ] = None,
    out: Annotated[Path | None, arg(help="also draw a picture there", metavar="FILE.png")] = None,
) -> None:
    """Measure a model of your own: norms, superposition, shapes, loss, and what would be better."""
    from figures.command.inspection import Wanted, inspect_file

    inspect_file(file, Wanted(as_, transpose, linear, p, importance, out, selection))


def export(
    names: Annotated[
        Positional[tuple[str, ...]],
        arg(
            help="a result, KEY=VALUE of the cells, and the file to write (.npz, .safetensors)",
            metavar="RESULT.nc|KEY=VALUE|OUT",
        ),
    ] = (),
    *,
    as_: Annotated[
        str, arg(name="as", help="layout, as of inspect", metavar="LAYOUT")
    ] = "toymodels",
) -> None:
    """Write trained models for other programs, with a JSON that says what they are."""
    from figures.command.inspection import export_request
    from sweeps.exchange import export_models
    from sweeps.store import open_dataset
    from sweeps.stored_models import bases

    result, at, out = export_request(names)
    dataset = open_dataset(result)
    for path in export_models(dataset, out, as_, *bases(dataset, Path(result).parent), **at):
        print(path)


def doctor() -> None:
    """Print versions, devices and folders: one paste for a report."""
    from figures.command.doctor import print_doctor

    print_doctor()


def main() -> None:
    """Run the command; a user's mistake ends with one message and status 2."""
    prepare()
    try:
        _dispatch(sys.argv[1:])
    except KeyboardInterrupt:
        print("\nstopped; finished blocks are kept: the same command goes on from there.")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (ValueError, OSError) as error:
        from toymodels.errors import InputError

        if not isinstance(error, InputError | OSError):
            _end_without_device()
            raise
        print(f"toymodels: {error}", file=sys.stderr)
        if isinstance(error, OSError):
            print("What was finished is kept: the same command goes on.", file=sys.stderr)
        sys.exit(2)
    except (RuntimeError, AssertionError):
        _end_without_device()
        raise


def _end_without_device() -> None:
    """End with one message where JAX cannot start on this machine, whatever it raised."""
    problem = device_problem()
    if problem:
        print(f"toymodels: {problem}", file=sys.stderr)
        sys.exit(2)


def sweep() -> None:
    """Run sweeps of your own: `sweep run FILE.toml`, `sweep status DIR`."""


def positionals_first(arguments: list[str], valued: frozenset[str] = frozenset()) -> list[str]:
    """Put names and KEY=VALUE texts before the options, wherever they stood among them.

    Args:
        arguments: of the command.
        valued: options that take the next argument as their value.
    """
    positional, options, previous = [], [], ""
    for argument in arguments:
        plain = not argument.startswith("-") and previous not in valued
        (positional if plain else options).append(argument)
        previous = argument
    return positional + options


def valued_options(*commands: Callable[..., None]) -> frozenset[str]:
    """Return the options of commands that take a value: keyword parameters that are no flags."""
    found = set()
    for command in commands:
        for p in inspect_signature(command).parameters.values():
            if p.kind is p.KEYWORD_ONLY and not isinstance(p.default, bool):
                found.add("--" + p.name.rstrip("_").replace("_", "-"))
    return frozenset(found)


SWEEP = {"run": sweep_run, "status": sweep_status}
VERBS = {
    "list": list_entries,
    "figure": figure,
    "sweep": sweep,
    "show": show,
    "inspect": inspect,
    "export": export,
    "cite": cite,
    "doctor": doctor,
}


def _dispatch(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        from figures.command.doctor import version_of

        print(f"toymodels {version_of('toymodels')}")
        return
    arguments = [expanded(argument) for argument in arguments]
    arguments = positionals_first(arguments, valued_options(*VERBS.values(), *SWEEP.values()))
    if arguments[:1] == ["sweep"]:
        commands, description = SWEEP, "Run parameter sweeps from TOML files."
        prog, arguments = "toymodels sweep", arguments[1:] or ["--help"]
    else:
        commands, description = VERBS, "Toy models of superposition: sweeps and figures."
        prog, arguments = "toymodels", arguments or ["--help"]
    tyro.extras.subcommand_cli_from_dict(
        commands,
        prog=prog,
        description=description,
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
