"""Keep the datasets that carry findings, and write FINDINGS.md from them.

    python -m figures.command.findings                   every figure with a question
    python -m figures.command.findings NAME              this figure, from out/ or made now
    python -m figures.command.findings NAME KEY=VALUE    its last result with an override
    python -m figures.command.findings --text            the page alone, from what is kept

A figure is a finding where its file has a `question`. What `compute` returns is kept in the
repository, small, as `docs/findings/NAME.nc`, and with an override, for what takes more than a
figure should, as `NAME.override.nc`. Both say when and of what they were made.
`python -m figures.command.gallery` keeps what it draws too.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from figures.kit.caption import said_of
from figures.kit.compute import Drawable, identity_of
from figures.kit.entry import FIGURES, Entry, entries, entry_of
from sweeps.atomic import writing
from sweeps.differences import attributes
from sweeps.store import open_dataset, provenance, save_dataset
from toymodels.errors import InputError

ROOT = FIGURES.parent
KEPT = ROOT / "docs" / "findings"
PAGE = ROOT / "FINDINGS.md"
MAKE = "python -m figures.command.findings"
MOST_BYTES = 2_000_000  # of one file

NEW = "New: "  # begins what nobody has said
SAID = ("claim", "verdict", "finding", "caption")

# How arrays are saved; few numbers take more bytes in compressed chunks than as they are.
SMALL, FEW = {"zlib": True, "complevel": 9, "shuffle": True}, 256

HEAD = """# Findings

What the models say where papers and their discussions left a question, also where a prediction
failed and where the answer is still open. Made by `make findings`; every number is computed from a
dataset in `docs/findings`, and a test computes it again. `toymodels figure NAME` runs all anew;
with `--from docs/findings/NAME.nc` it draws in seconds what stands here. Intervals are 95 %.
"""


def findings() -> list[Entry]:
    """Return the figures that answer a question: the open questions first."""
    found = [entry for entry in entries().values() if entry.question]
    return sorted(found, key=lambda entry: entry.group != "questions")


def path_of(entry: Entry, overridden: bool = False) -> Path:
    """Return where a figure's dataset is kept."""
    return KEPT / f"{entry.name}{'.override' * overridden}.nc"


def keep(entry: Entry, dataset: xr.Dataset, overrides: Sequence[str] = ()) -> Path:
    """Keep a dataset that `compute` returned; one that says the same stays with its date.

    Raises:
        InputError: it is too large.
    """
    small, path = as_small(dataset), path_of(entry, bool(overrides))
    small.attrs |= said_of(entry.module(), small)  # the page says what its own numbers say
    small.attrs |= {"identity": identity_of(entry, overrides), "overrides": json.dumps(overrides)}
    kept = told(entry, bool(overrides))
    same = all(kept.get(name) == small.attrs.get(name) for name in (*SAID, "identity"))
    if same and open_dataset(path).equals(small):
        return path
    small.attrs["provenance"] = json.dumps(provenance())
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as beside:  # what was kept stays until this is seen to be small
        save_dataset(small, beside)
        if beside.stat().st_size > MOST_BYTES:
            raise InputError(
                f"{entry.name}: its dataset takes more than {MOST_BYTES:,} bytes, too many to be "
                "kept in the repository: let `analyse` return only what the figure draws."
            )
    return path


def as_small(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose variables are float32 and, when saved, compressed."""
    wide = {k: v.astype(np.float32) for k, v in dataset.data_vars.items() if v.dtype == np.float64}
    small = dataset.assign(wide)
    for name in small.variables:
        many = small[name].size > FEW and small[name].dtype.kind in "biuf"
        small[name].encoding = dict(SMALL) if many else {}
    return small


def page() -> str:
    """Return the text of FINDINGS.md."""
    found = findings()
    lines = [HEAD, "| question | verdict | figure |", "|---|---|---|"]
    for entry in found:
        kept = told(entry)
        verdict = kept.get("verdict", "measured") if kept else "not kept yet"
        link = f"[{entry.question}](#{anchor(entry.question)})"
        lines.append(f"| {link} | {verdict} | `{entry.name}` |")
    for entry in found:
        lines += ["", *_section(entry)]
    return "\n".join(lines) + "\n"


def told(entry: Entry, overridden: bool = False) -> dict[str, Any]:
    """Return the attributes of a dataset that is kept, nothing where there is none."""
    return attributes(path_of(entry, overridden)) or {}


def anchor(heading: str) -> str:
    """Return what a heading is called in an address, as GitHub and MyST do."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(entry: Entry) -> list[str]:
    """Return the lines of one finding."""
    lines = [f"## {entry.question}", ""]
    kept, changed = told(entry), told(entry, overridden=True)
    lines += [f"![{entry.title}](docs/gallery/{entry.name}.png)", ""] if kept else []
    source, said = f"{entry.paper}: {entry.section}", entry.says.removeprefix(NEW)
    label = "**Said**" if said == entry.says else "**New**"
    lines += [f"{label} ({source}): {said}.", ""]
    lines += [*_measured(kept), f"What was run and is drawn: {kept['caption']}", ""] if kept else []
    if changed:
        lines += [f"With {changed['changed']}, kept apart:", "", *_measured(changed)]
    again = f"`toymodels figure {entry.name}`, {entry.seconds} s on two cores"
    lines.append(again + "".join(_when(entry, of) for of in (kept, changed) if of) + ".")
    return lines if kept else [*lines, "", f"Not kept yet: `{MAKE} {entry.name}`."]


def _measured(of: dict[str, Any]) -> list[str]:
    more = f" {of['finding']}." if of.get("finding") else ""
    verdict = f" Verdict: **{of['verdict']}**." if of.get("verdict") else ""
    return [f"**Measured**: {of['claim']}.{more}{verdict}", ""]


def _when(entry: Entry, of: dict[str, Any]) -> str:
    made = json.loads(of["provenance"])
    changed = f" with {of['changed']}" if of["changed"] else ""
    old = ", before its figure changed" if is_outdated(entry, of) else ""
    return f"; kept{changed} on {made['time'][:10]}{old}, version {of['identity']}"


def is_outdated(entry: Entry, of: dict[str, Any]) -> bool:
    """Tell whether a figure's file, or what it stands on, gives other numbers by now."""
    try:
        return of["identity"] != identity_of(entry, json.loads(of["overrides"]))
    except InputError:  # an override that is none any more
        return True


def write_page() -> None:
    """Write FINDINGS.md."""
    PAGE.write_text(page(), encoding="utf-8")


def main() -> None:
    """Keep what is named, or all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("given", nargs="*", metavar="NAME|KEY=VALUE")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--text", action="store_true")
    asked = parser.parse_args()
    from sweeps.progress import Bar

    overrides = [text for text in asked.given if "=" in text]
    names = [text for text in asked.given if "=" not in text]
    chosen = [entry_of(name) for name in names] or findings()
    if overrides and len(names) != 1:
        parser.error("KEY=VALUE is of one figure: name just one.")
    for entry in [] if asked.text else chosen:
        report = Bar(entry.name)
        dataset = Drawable(entry).compute(out=asked.out, overrides=overrides, report=report)
        path = keep(entry, dataset, overrides)
        print(f"{entry.name}: {dataset.attrs['claim']}\n  {path.stat().st_size:,} bytes: {path}")
    write_page()


if __name__ == "__main__":
    main()
