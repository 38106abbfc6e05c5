"""Write what is generated: GALLERY.md with its pictures, tables of the README, and FINDINGS.md.

    python -m figures.command.gallery            every figure, from out/ or made now
    python -m figures.command.gallery intro      these figures
    python -m figures.command.gallery --text     the texts alone, from what was drawn before

Pictures come out as the figures themselves do, smaller.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from figures.command import findings
from figures.command.catalogue import choose, table_of
from figures.kit.entry import FIGURES, Entry, entries

ROOT = FIGURES.parent
PICTURES = ROOT / "docs" / "gallery"
CLAIMS = PICTURES / "claims.json"
FULL_CLAIMS = PICTURES / "claims-full.json"  # what `make claims-full` keeps
DPI = 80  # of a thumbnail

# What is shown in the README, at full size.
FRONT = ("phase-diagram-2-1", "phase-atlas")

NAMES = {
    "toy-models": "Toy Models of Superposition, trained as in the paper",
    "exact": "Without sampling noise",
    "circuits": "Circuits in superposition",
    "lenses": "Lenses",
    "questions": "Open questions",
    "neighbours": "Next door: dictionaries, probes and masks",
}


def draw(entry: Entry, out: Path) -> str:
    """Draw a figure's picture for the gallery, keep what is a finding, and return the claim."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    from figures.kit.compute import Drawable
    from sweeps.progress import Bar

    dataset = Drawable(entry).compute(out=out, report=Bar(entry.name))
    figure = Drawable(entry).draw(dataset)
    figure.savefig(PICTURES / f"{entry.name}.png", dpi=DPI)
    if entry.name in FRONT:
        figure.savefig(ROOT / "docs" / f"{entry.name}.png", dpi=110)
    plt.close(figure)
    if entry.question:
        findings.keep(entry, dataset)
    return dataset.attrs["claim"]


def gallery(claims: dict[str, str]) -> str:
    """Return the text of GALLERY.md."""
    lines = ["# Gallery", "", "Made by `make gallery`. Claims are computed from the datasets."]
    lines += ["Questions and their answers: [FINDINGS.md](FINDINGS.md).", ""]
    for group in dict.fromkeys(e.group for e in entries().values()):
        lines += [f"## {NAMES[group]}", ""]
        for e in entries().values():
            if e.group == group:
                lines += _section(e, claims.get(e.name, ""))
    lines += full_claims(read(FULL_CLAIMS))
    return "\n".join(lines).rstrip() + "\n"


def _section(e: Entry, claim: str) -> list[str]:
    return [
        f"### {e.title}",
        "",
        f"![{e.title}](docs/gallery/{e.name}.png)",
        "",
        *([f"**{claim}.**", ""] if claim else []),
        f"{e.paper}, {e.section}: {e.says}.",
        "",
        f"`toymodels figure {e.name}`: {e.seconds} s, with `--fast` {e.fast_seconds} s.",
        "",
    ]


def full_claims(tests: dict[str, Any]) -> list[str]:
    """Return the table of the claims at full settings, of which each test is a sentence."""
    if not tests:
        return []
    lines = [
        "## Claims at full settings",
        "",
        "Proven by `make claims-full`; how it last went:",
        "",
    ]
    lines += ["| claim | outcome | seconds | date | commit |", "|---|---|---|---|---|"]
    for name, of in tests.items():
        sentence, _, case = name.rpartition("::")[2].removeprefix("test_").partition("[")
        said = sentence.replace("_", " ") + (f" ({case.removesuffix(']')})" if case else "")
        cells = (of["outcome"], of["seconds"], of["date"], f"`{of['commit']}`")
        lines.append(f"| {' | '.join(map(str, (said, *cells)))} |")
    return [*lines, ""]


def read(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds, nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def with_tables(readme: str) -> str:
    """Return the README with its tables of figures written anew."""

    def table(match: re.Match[str]) -> str:
        return "\n".join([match[1], *table_of(match[2]), match[3]])

    return re.sub(r"(<!-- figures: ([\w-]+) -->).*?(<!-- end -->)", table, readme, flags=re.S)


def write_texts() -> None:
    """Write GALLERY.md, the README's tables and FINDINGS.md."""
    claims = read(CLAIMS)
    (ROOT / "GALLERY.md").write_text(gallery(claims), encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_tables(readme.read_text(encoding="utf-8")), encoding="utf-8")
    findings.write_page()


def main() -> None:
    """Draw what is named, or all, and write the texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--text", action="store_true")
    given = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    claims = read(CLAIMS)
    if not given.text:
        for entry in choose(tuple(given.names), None if given.names else "all"):
            claims[entry.name] = draw(entry, given.out)
            print(f"{entry.name}: {claims[entry.name]}")
            text = json.dumps(claims, indent=1, sort_keys=True, ensure_ascii=False)
            CLAIMS.write_text(text + "\n", encoding="utf-8")
    write_texts()


if __name__ == "__main__":
    main()
