"""The command on odd machines: no device, no Unicode, no home, another's folder of our name."""

import io
import os
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import jax
import pytest
from builders import ROOT

import figures
from figures.command import cli, machine
from sweeps.config.parse import read_toml

CACHE = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES", "COLUMNS")
THEIRS = "raise SystemExit('this is theirs')\n"


@pytest.fixture
def command(monkeypatch):
    """Run the command in this process, with an ASCII terminal; returns (status, stdout, stderr)."""

    def run(*arguments):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
        monkeypatch.setattr(sys, "argv", ["toymodels", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        for stream in streams:
            stream.flush()
        return status, *(stream.buffer.getvalue().decode("ascii") for stream in streams)

    for name in CACHE:
        monkeypatch.setenv(name, os.environ.get(name, "80"))
    return run


def test_what_a_terminal_cannot_show_is_a_question_mark(command):
    status, out, _ = command("list")
    assert status == 0
    assert "W?W + b by sparsity" in out
    status, _, err = command("figure", "Größe")
    assert (status, err.splitlines()[0][:30]) == (2, "toymodels: no figure 'Gr??e'. ")


@pytest.mark.parametrize("columns", ["0", "1", "7", "many"])
def test_help_fits_any_terminal(command, monkeypatch, columns):
    """tyro lays out help for ever where there are fewer than 8 columns."""
    monkeypatch.setenv("COLUMNS", columns)
    assert "doctor" in command("--help")[1]


@pytest.fixture
def no_device(monkeypatch):
    def devices():
        raise RuntimeError("Unable to initialize backend 'cuda':\nno plugin.")

    monkeypatch.setattr(jax, "devices", devices)
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")


def test_without_the_device_asked_for_doctor_prints_and_names_the_problem(command, no_device):
    status, out, err = command("doctor")
    assert (status, err) == (0, "")
    assert "numpy" in out
    assert "cache" in out
    assert out.splitlines()[-1] == (
        "problem      JAX cannot start with JAX_PLATFORMS = 'cuda': Unable to initialize backend "
        "'cuda': no plugin. Unset JAX_PLATFORMS, or set it to cpu."
    )


def test_without_the_device_asked_for_a_verb_ends_with_one_line(command, no_device, tmp_path):
    status, _, err = command("sweep", "run", "intro", "--out", tmp_path)
    assert status == 2
    assert err.startswith("toymodels: JAX cannot start with JAX_PLATFORMS = 'cuda'")
    assert len(err.splitlines()) == 1


def test_an_error_that_is_not_the_devices_is_not_hidden(command, monkeypatch):
    def fail(**_):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("figures.command.catalogue.print_list", fail)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        command("list")


@pytest.mark.parametrize("home", ["/dev/null/home", None])
def test_without_a_cache_folder_nothing_is_kept(home, monkeypatch):
    def no_home():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home:
        monkeypatch.setenv("XDG_CACHE_HOME", home)
    assert machine.cache_folder() is None


def test_the_home_folder_is_put_in_wherever_an_argument_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = ["~/mine.toml", "--out=~/x", "--from", "~/x.nc", "steps=5", "a~b"]
    assert [machine.expanded(a) for a in given] == [
        f"{tmp_path}/mine.toml",
        f"--out={tmp_path}/x",
        "--from",
        f"{tmp_path}/x.nc",
        "steps=5",
        "a~b",
    ]
    (tmp_path / "mine.toml").write_text('name = "mine"\nmodels = "~/other.toml"\n')
    assert read_toml("~/mine.toml")["models"] == f"{tmp_path}/other.toml"


@pytest.fixture
def their_folder(tmp_path):
    """A folder with packages and modules of the names that the command imports."""
    for name in ("figures", "sweeps"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(THEIRS)
    for name in ("numpy", "tyro", "jax"):
        (tmp_path / f"{name}.py").write_text(THEIRS)
    return tmp_path


def run_in(folder, *arguments, path):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_takes_nothing_from_the_folder_it_is_called_in(their_folder):
    for how in (("-m", "toymodels"), ("-c", "from toymodels.__main__ import main; main()")):
        done = run_in(their_folder, *how, "cite", "intro", path=f".{os.pathsep}{ROOT}")
        assert (done.returncode, done.stderr) == (0, "")
        assert "elhage" in done.stdout


def test_doctor_names_what_shadows_our_packages(their_folder, monkeypatch):
    monkeypatch.chdir(their_folder)
    assert machine.shadowed() == {
        name: str(their_folder / name / "__init__.py") for name in ("figures", "sweeps")
    }


def test_python_is_told_which_file_is_not_our_package(monkeypatch, tmp_path):
    """As `import figures; figures.intro` beside a `sweeps.py` of the reader's own."""
    (tmp_path / "sweeps.py").write_text("")
    spec = PathFinder.find_spec("sweeps", [str(tmp_path)])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    with pytest.raises(ImportError, match=r"`import sweeps` finds .*sweeps\.py"):
        figures._require_own("sweeps")


def test_a_clone_that_is_not_installed_says_so_or_what_to_install(tmp_path):
    for name in ("toymodels", "figures", "sweeps"):
        (tmp_path / name).symlink_to(ROOT / name)
    isolated = ("-I", "-S", "-c")  # no site-packages: no metadata, no dependencies
    start = f"import sys; sys.path.append({str(tmp_path)!r}); "
    done = run_in(
        tmp_path, *isolated, start + "import toymodels; print(toymodels.__version__)", path=""
    )
    assert done.stdout.strip() == "not installed"
    done = run_in(
        tmp_path, *isolated, start + "from toymodels.__main__ import main; main()", path=""
    )
    assert done.returncode == 2
    assert "'tyro' is missing" in done.stderr
    assert f"-m pip install {ROOT}" in done.stderr


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_output_into_a_pipe_that_closes_is_quiet(tmp_path):
    script = f"{sys.executable} -m toymodels list | head -1"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
