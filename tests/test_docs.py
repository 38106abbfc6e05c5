"""What the README promises: its commands and blocks run, in its order."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from sweeps.config.parse import parse, read_toml

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[1]
COMMAND_SECONDS = 240

FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#\s.*$")
# NAME, FILE.nc, KEY=VALUE or an ellipsis: the reader puts something there. W.npy is a file.
PLACEHOLDER = re.compile(r"(?<![\w./-])[A-Z]{2,}(?:_[A-Z]+)*(?![a-z\d])|…|<\w+>")
# These run every figure, each of which is named on a line of its own.
MANY = re.compile(r"--(all|group|quick)\b")
MATRIX = re.compile(r"[\w./-]+\.np[yz]\b")


def blocks(text):
    """Yield the language and the body of each fenced block."""
    yield from FENCE.findall(text)


def commands_of(body):
    """Return the `toymodels …` lines of a shell block that can be run as they stand."""
    lines = (line.strip().removeprefix("$ ") for line in body.replace("\\\n", " ").splitlines())
    lines = (COMMENT.sub("", line) for line in lines if line.startswith("toymodels "))
    return [line for line in lines if not PLACEHOLDER.search(line) and not MANY.search(line)]


def quickly(command):
    """Add --fast to a command that makes figures."""
    if command.startswith("toymodels figure ") and "--fast" not in command.split():
        return command.replace("toymodels figure", "toymodels figure --fast", 1)
    return command


def steps_of(text):
    """Return what the README asks to do, in its order, each once: (kind, what)."""
    found = []
    for language, body in blocks(text):
        if language in ("bash", "sh", "shell", "console"):
            found += [("command", quickly(line)) for line in commands_of(body)]
        elif language in ("python", "toml"):
            found.append((language, body))
    return list(dict.fromkeys(found))


def toml_name(steps, i):
    """Return the name by which the next command calls the TOML file of step i."""
    for kind, what in steps[i + 1 :]:
        name = re.search(r"[\w-]+\.toml", what) if kind == "command" else None
        if name:
            return name[0]
    raise AssertionError("no command after this TOML block uses a .toml file")


def whole_table(steps, i):
    """Return the table of step i; one without a name is a part that changes the one before it."""
    tables = [tomllib.loads(what) for kind, what in steps[: i + 1] if kind == "toml"]
    return [table for table in tables if "name" in table][-1] | tables[-1]


README_STEPS = steps_of((ROOT / "README.md").read_text(encoding="utf-8"))


def title(step):
    """Return a test's name: the command, or the first words of a block."""
    return f"{step[0]}: {' '.join(step[1].split())[:60]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the README's reader is: one folder for all steps, in their order."""
    return tmp_path_factory.mktemp("reader")


def run_in(folder, arguments):
    """Run a program as the reader would and demand that it ends well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=os.environ | {"PATH": path, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Traceback" not in said


def write_matrices(folder, command):
    """Put a pentagon where the reader's own matrix would be."""
    angle = 2 * np.pi * np.arange(5) / 5
    for name in MATRIX.findall(command):
        if not (folder / name).exists():
            save = np.save if name.endswith(".npy") else np.savez
            save(folder / name, np.stack([np.cos(angle), np.sin(angle)]))


def test_the_readme_names_commands():
    assert [what for kind, what in README_STEPS if kind == "command"]


@pytest.mark.parametrize("i", range(len(README_STEPS)), ids=lambda i: title(README_STEPS[i]))
def test_the_readme_can_be_followed(i, folder):
    kind, what = README_STEPS[i]
    if kind == "toml" and "name" in tomllib.loads(what):
        file = folder / toml_name(README_STEPS, i)
        file.write_text(what, encoding="utf-8")
        parse(read_toml(file))
    elif kind == "toml":
        parse(whole_table(README_STEPS, i))
    elif kind == "python":
        run_in(folder, [sys.executable, "-c", what])
    else:
        write_matrices(folder, what)
        run_in(folder, ["bash", "-o", "pipefail", "-c", what])


EXAMPLE = """
```bash
git clone https://example.org/x && cd x
make figures            # not ours
toymodels list
toymodels figure intro --out out    # the first one
toymodels figure NAME --out DIR
toymodels figure --all
$ toymodels sweep run mine.toml \\
    --out out
toymodels inspect W.npy
toymodels list
```
```toml
name = "late"
```
```sh
pip install toymodels
toymodels sweep run late.toml --dry-run
```
```toml
steps = 5
```
"""


def test_steps_are_collected_in_order_and_once():
    assert steps_of(EXAMPLE) == [
        ("command", "toymodels list"),
        ("command", "toymodels figure --fast intro --out out"),
        ("command", "toymodels sweep run mine.toml      --out out"),
        ("command", "toymodels inspect W.npy"),
        ("toml", 'name = "late"\n'),
        ("command", "toymodels sweep run late.toml --dry-run"),
        ("toml", "steps = 5\n"),
    ]
    assert toml_name(steps_of(EXAMPLE), 4) == "late.toml"
    assert whole_table(steps_of(EXAMPLE), 6) == {"name": "late", "steps": 5}
