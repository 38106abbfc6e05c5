"""What docs/scaling.md promises: its commands and its job script run, on a small sweep."""

import re
import tomllib

import pytest
from builders import ROOT
from test_docs import blocks, commands_of, run_in

from sweeps.config.parse import parse

pytestmark = pytest.mark.docs

PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
BLOCKS = list(blocks(PAGE))
SHELL = [body for language, body in BLOCKS if language == "bash"]
(SCRIPT,) = (body for body in SHELL if body.startswith("#!"))
COMMANDS = [line for body in SHELL if body is not SCRIPT for line in commands_of(body)]

# A grid that is cut into three blocks.
SMALL = """
name = "mine"
model = "relu"
n_features = 2
n_hidden = 1
steps = 4
batch_size = 8
evaluation_size = 8
[grid]
p_active = { linear = [0.1, 1, 5000] }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the reader is."""
    found = tmp_path_factory.mktemp("reader")
    (found / "mine.toml").write_text(SMALL, encoding="utf-8")
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_can_be_followed(command, folder):
    run_in(folder, ["bash", "-o", "pipefail", "-c", command])


def test_a_task_of_the_array_computes_its_part(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "array.sh").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    run_in(tmp_path, ["bash", "array.sh"])
    assert [p.name for p in tmp_path.glob("out/runs/*/blocks/*.npz")] == ["00002.npz"]


def test_the_sweep_of_a_million_models_has_as_many():
    (table,) = (tomllib.loads(body) for language, body in BLOCKS if language == "toml")
    assert parse(table).grid.size == 1_000_000


def test_core_hours_of_a_million_models_follow_from_the_readmes_speeds():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+ → \d+), .* \| ([\d,]+) \|$", readme, re.MULTILINE)
    text = " ".join(PAGE.replace("core-hours for", "for").split())
    told = {size: float(h) for h, size in re.findall(r"([\d.]+) for (\d+ → \d+)", text)}
    assert set(told) == {size for size, _ in rows}
    for size, speed in rows:
        hours = 2 * 1e6 * 2000 / float(speed.replace(",", "")) / 3600
        assert told[size] == pytest.approx(hours, rel=0.05)
