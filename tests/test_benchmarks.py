"""The benchmarks run without torch and print our rows; no time is asserted."""

import importlib
from pathlib import Path

import jax
import numpy as np
import pytest

from toymodels.losses import objective


@pytest.fixture
def benchmarks(monkeypatch):
    """The modules of a checkout, which are not installed."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.mark.claims  # compiles for many seconds
def test_without_torch_our_rows_are_printed_alone(benchmarks, monkeypatch, capsys):
    training, row = benchmarks("training"), benchmarks("ours").Row
    monkeypatch.setattr(training, "ROWS", (row(2, 1, 2, 3, batch_size=8),))
    monkeypatch.setattr(benchmarks("turns"), "PAUSE", 0)
    monkeypatch.setattr(training, "import_torch", lambda: None)
    training.main(["--seconds", "1e-3", "--rounds", "1"])
    said = capsys.readouterr().out
    assert "torch is not installed" in said
    assert "2→1 × 6" in said


@pytest.mark.claims  # compiles for many seconds
def test_shares_and_rooflines_of_a_wide_row_are_printed(benchmarks, monkeypatch, capsys):
    training, row = benchmarks("training"), benchmarks("ours").Row(8, 4, 2, 1, batch_size=8)
    monkeypatch.setattr(training, "WIDE", 8)
    times = training.in_turns(training.make_sides(row, None), seconds=1e-3, rounds=1)
    training.print_shares(row, times, size=16)
    training.print_rooflines({row: times}, size=16)
    said = capsys.readouterr().out
    assert "five products alone" in said
    assert "roofline" in said


def test_operations_are_five_products(benchmarks):
    row = benchmarks("ours").Row(200, 20, 20, 1)
    assert benchmarks("rates").operations(row) == 5 * 2 * 1024 * 200 * 20 * 20


def test_the_least_times_of_a_step_are_what_is_counted_by_hand(benchmarks):
    """One model of 20→5 and one example: bytes at a byte a second, or operations at one."""
    devices, row = benchmarks("devices"), benchmarks("ours").Row(20, 5, 1, 1, batch_size=1)
    on_chip, between = 20 + 6 * (20 * 5 + 20), 10 * 20 + 5 * 5
    counted = devices.least_times(row, devices.Rates(operations=np.inf, bytes=1e3))
    assert counted == pytest.approx((4 * on_chip, 4 * (on_chip + between)))
    computing = devices.least_times(row, devices.Rates(operations=1e3, bytes=np.inf))
    assert computing == pytest.approx((10 * 20 * 5 + 13 * 20,) * 2)


@pytest.mark.claims  # compiles for many seconds
def test_models_on_a_device_are_printed_as_a_table_in_markdown(benchmarks, monkeypatch, capsys):
    devices = benchmarks("devices")
    monkeypatch.setattr(devices, "PROBLEMS", ((2, 1, 1),))
    monkeypatch.setattr(devices, "import_torch", lambda: None)
    monkeypatch.setattr(devices, "measure_rates", lambda size: devices.Rates(1e9, 1e9))
    devices.main(["--models", "16", "--steps", "2", "--rounds", "1"])
    head, rates, _, *table = capsys.readouterr().out.splitlines()
    assert "1 × cpu" in head and "1 GB/s" in rates
    assert [row.split(",")[0] for row in table[2:]] == ["| 20→5 × 8", "| 2→1 × 16"]
    assert len({row.count("|") for row in table}) == 1


def test_losses_of_a_perfect_model_are_zero(benchmarks):
    perfect = benchmarks("same_losses").losses(np.eye(3)[None], np.zeros((1, 3)))
    assert perfect == pytest.approx(0, abs=1e-12)


@pytest.mark.claims  # compiles for many seconds
def test_estimators_print_the_time_of_a_step_and_how_much_longer_others_take(benchmarks, capsys):
    estimators = benchmarks("estimators")
    row = estimators.EstimatorRow(8, 2, 2, 1, batch_size=8)
    estimators.print_rows([row], rounds=1, seconds=1e-3)
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["size", "plain", "step", "stratified", "exact", "fourier"]
    assert line.startswith("8→2 × 2") and line.count(" ×") == 3
    assert line.count("—") == 1  # the expected loss goes up to six features


def test_circuits_print_the_sweep_beside_its_floor(benchmarks, capsys):
    circuits = benchmarks("circuits")
    sizes = circuits.sweep_sizes()
    assert len(sizes) == 41
    assert circuits.dense_operations(sizes) == pytest.approx(1.26e12, rel=0.01)
    circuits.print_single((10,))
    circuits.print_sweep(sizes[:1], seeds=1, matrix_size=64)
    said = capsys.readouterr().out
    assert "1 networks × 4" in said
    assert "shared products" in said


@pytest.mark.claims  # compiles for many seconds
def test_trained_circuits_print_both_sides_and_their_first_losses_agree(benchmarks, capsys):
    """The plain loop does the same work: it starts from the same weights at the same mean loss."""
    trained, torch = benchmarks("trained_circuits"), pytest.importorskip("torch")
    sizes = {"n_circuits": 9, "width": 84, "n_layers": 3, "batch_size": 4096}
    sides = trained.make_sides(2, sizes, torch)
    plain, ours = sides["torch"], sides["ours"]
    cell = ours.block.program.cell(0)
    with torch.no_grad():
        theirs = float(plain._loss(plain.W, plain.b))
    u = jax.random.uniform(jax.random.key(1), (cell.task.n_uniforms, 4096))
    model = cell.init.draw(jax.random.key(0))
    assert theirs == pytest.approx(float(objective(cell, model, u)), rel=0.05)
    assert set(trained.in_turns(sides, 0.01, 1)) == {"ours", "torch"}
