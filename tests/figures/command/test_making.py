"""What the command leaves behind: no file of another dataset is taken, and what differs is told."""

import matplotlib.pyplot as plt
import pytest

import figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_pictures_from_a_file_never_take_the_name_of_another_dataset(command, tmp_path):
    """A plain one, one with another setting, and what a user calls them."""
    out, small = tmp_path / "out", "n_examples=2"
    for more in ((), (small,)):
        how = ("--fast", "--format", "png", "--out", out)
        assert command("figure", "rotations-samples", *more, *how)[0] == 0
    plain = "rotations-samples.fast"
    kept = (out / f"{plain}.png").read_bytes()
    assert (out / f"{plain}.{small}.png").read_bytes() != kept
    changed = (out / f"{plain}.{small}.nc").read_bytes()
    for name in (f"{plain}.nc", "rotations-samples.nc", "mine.nc"):
        (tmp_path / name).write_bytes(changed)
        arguments = ("--from", tmp_path / name, "--format", "png", "--out", out)
        assert command("figure", "rotations-samples", *arguments)[0] == 0
    assert (out / f"{plain}.png").read_bytes() == kept
    assert not (out / "rotations-samples.png").exists()
    assert (out / "rotations-samples.from-mine.png").exists()
    arguments = ("--from", out / f"{plain}.nc", "--format", "svg", "--out", out)
    assert command("figure", "rotations-samples", *arguments)[0] == 0
    assert (out / f"{plain}.svg").exists()


def test_a_figure_and_its_sweep_write_files_of_their_own(command, mine, tmp_path):
    """Also an edited file: its first result stays where the message says."""
    out = tmp_path / "results"
    assert command("sweep", "run", mine, "name=intro", "--out", out)[0] == 0
    assert (out / "intro.sweep.nc").exists()
    assert not (out / "intro.nc").exists()
    text = mine.read_text()
    for steps in (20, 3):
        mine.write_text(text.replace("steps = 20", f"steps = {steps}"))
        said = command("sweep", "run", mine, "--out", out)[1]
    assert "mine.nc was a sweep with steps = 20: it is replaced here and stays in" in said
    status = command("sweep", "status", out)[1]
    assert "blocks, steps = 20" in status
    assert "blocks, steps = 3" in status


def test_a_picture_is_the_same_from_the_command_and_from_python(command, tmp_path):
    how = ("--format", "png", "--out", tmp_path)
    assert command("figure", "step-function", *how)[0] == 0
    figures.step_function.draw(figures.step_function.compute()).savefig(tmp_path / "own.png")
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "step-function.png").read_bytes()
