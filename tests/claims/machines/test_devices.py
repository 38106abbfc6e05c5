"""Several devices in one process: equal shares, no word between them, and the numbers of one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from builders import ROOT
from four_devices import SWEEP, TABLES

from sweeps import run_sweep
from sweeps.status import blocks_done

pytestmark = pytest.mark.claims

CHILD = ROOT / "tests" / "four_devices.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a process with four devices left."""
    folder = tmp_path_factory.mktemp("devices")
    where = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    more = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_NUMPY_RANK_PROMOTION": "raise",
        "PYTHONPATH": where,
    }
    run = [sys.executable, "-W", "error", str(CHILD), str(folder)]
    subprocess.run(run, env=os.environ | more, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def facts(folder):
    return json.loads((folder / "facts.json").read_text())


@pytest.mark.parametrize(
    ("table", "devices", "share"),
    [("together", (2, 2), (1, 2)), ("alone", (4, 1), (1, 5)), ("built", (1, 3), (1, 2))],
)
def test_every_device_holds_its_share_of_the_models(facts, table, devices, share):
    found, n = facts[table], devices[0] * devices[1]
    assert tuple(found["devices"]) == devices
    assert found["shape"] == [devices[0] * share[0], devices[1] * share[1]]
    assert found["before"] == found["after"] == [[n, *share]]
    assert found["timed"]


@pytest.mark.parametrize("table", TABLES)
def test_no_program_of_a_block_holds_a_collective(facts, table):
    found = facts[table]["collectives"]
    assert len(found) == (3 if table == "built" else 4)
    assert not any(found.values())


def test_a_model_is_the_same_bit_for_bit_on_any_device(facts):
    assert facts["moved"] == 0


def results(folder, name):
    with xr.open_dataset(folder / name / "spread.nc") as dataset:
        return dataset.load()


def assert_close(found, wanted):
    assert set(found.data_vars) == set(wanted.data_vars)
    for name in wanted.data_vars:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_numbers_are_those_of_a_single_device(folder):
    assert_close(results(folder, "whole"), run_sweep(SWEEP))


def test_a_run_that_was_interrupted_goes_on_on_its_devices_bit_for_bit(folder):
    xr.testing.assert_equal(results(folder, "here"), results(folder, "whole"))


def test_a_run_of_four_devices_goes_on_on_one(folder):
    """The half-trained block is taken up, as it was cut for four."""
    (run,) = (folder / "elsewhere" / "runs").iterdir()
    assert list((run / "blocks").glob("*.checkpoint"))
    plan = (run / "plan.json").read_text()
    run_sweep(SWEEP, out=folder / "elsewhere")
    assert (run / "plan.json").read_text() == plan
    assert blocks_done(run)
    assert_close(results(folder, "elsewhere"), results(folder, "whole"))
