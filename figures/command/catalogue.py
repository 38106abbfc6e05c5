"""What there is: lists of figures and sweeps, the README's table, how to cite. Light."""

import dataclasses
import json
import tomllib

from figures.kit.entry import GROUPS, Entry, entries, files, papers
from toymodels.errors import InputError, hint, listed


def print_list(as_json: bool) -> None:
    """Print one line per figure and sweep."""
    figures, sweeps = list(entries().values()), plain_sweeps()
    if as_json:
        found = [dataclasses.asdict(e) | {"paper": e.paper} for e in figures]
        names = [{"name": n, "title": t} for n, t in (sweeps | titles()).items()]
        print(json.dumps({"figures": found, "sweeps": names}, indent=2))
        return
    width = max(map(len, [*entries(), *sweeps]))
    print(
        "figures                    toymodels figure NAME; of most also: toymodels sweep run NAME"
    )
    for e in figures:
        times = f"{e.seconds:>4} s, --fast {e.fast_seconds:>3} s"
        asked = f" {e.question}" if e.question else ""
        print(f"  {e.name:<{width}}  {times}  {e.title}.{asked} {e.paper}: {e.section}")
    print("sweeps                     toymodels sweep run NAME")
    for name, title in sweeps.items():
        print(f"  {name:<{width}}  {title}")


def titles() -> dict[str, str]:
    """Return name -> title of the figures."""
    return {entry.name: entry.title for entry in entries().values()}


def plain_sweeps() -> dict[str, str]:
    """Return name -> description of the sweeps that come with the package and are no figures."""
    found = {}
    for name, path in files().items():
        if name not in entries():
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            found[name] = str(table.get("description", ""))
    return found


def choose(names: tuple[str, ...], group: str | None) -> list[Entry]:
    """Return the figures that names and a group stand for.

    Raises:
        InputError: an unknown name or group, both, or neither.
    """
    known = entries()
    groups = [g for g in GROUPS if any(e.group == g for e in known.values())]
    for name in names:
        if name not in known:
            raise InputError(f"no figure {name!r}.{hint(name, known)} There are {listed(known)}.")
    if group is None:
        chosen = [known[name] for name in dict.fromkeys(names)]
    elif names:
        raise InputError("give figures by name or a group of them, not both.")
    elif group == "quick":
        chosen = [e for e in known.values() if e.quick]
    elif group in ("all", *groups):
        chosen = [e for e in known.values() if group in ("all", e.group)]
    else:
        raise InputError(f"group = {group!r}: give one of {listed(groups)}.{hint(group, groups)}")
    if not chosen:
        raise InputError(f"no figure to make: name one of {listed(known)}.")
    return chosen


def print_citation(names: tuple[str, ...]) -> None:
    """Print the BibTeX of the sources of figures."""
    chosen = choose(names, None if names else "all")
    for key in dict.fromkeys(entry.cite for entry in chosen):
        print(papers()[key]["bibtex"].strip() or f"% {papers()[key]['name']}", end="\n\n")


def table_of(group: str) -> list[str]:
    """Return the lines of the README's table of one group."""
    lines = [
        "| figure | command | time, full (`--fast`) | source |",
        "|---|---|---|---|",
    ]
    for e in entries().values():
        if e.group == group:
            times = f"{e.seconds} s ({e.fast_seconds} s)"
            source = f"{e.paper.partition(',')[0]}: {e.section}"
            lines.append(f"| {e.title} | `toymodels figure {e.name}` | {times} | {source} |")
    return lines
