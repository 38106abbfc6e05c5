"""The command, run in this process, and a file of the user's own."""

import os
import sys

import pytest

from figures.command import cli

MINE = """
name = "mine"
model = "relu"
n_features = 3
n_hidden = 2
steps = 20
batch_size = 16
evaluation_size = 64
[grid]
p_active = [0.1, 1.0]
seed = { range = 2 }
"""


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command in this process; returns (status, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["toymodels", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        return status, out, err

    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return run


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path
