"""The figure of losses: which share of circuits is computed, and what it says of any data."""

import numpy as np
import pytest
import xarray as xr

from figures.circuits import circuits_loss


def measured(error, seeds=3):
    """A sweep by hand: plain loss computes no circuit, the balanced one half of four."""
    shape = (2, 1, 1, seeds)
    cells = ("objective", "start", "n_active", "seed")
    of_circuit = np.broadcast_to(
        np.array([[1, 1, 1, 1], error])[:, None, None, None, None], (*shape, 1, 4)
    )
    spurious = np.full((*shape, 1, 3), 0.1)
    return xr.Dataset(
        {
            "diverged": (cells, np.zeros(shape, np.int8)),
            "mse_of_circuit": ((*cells, "tested_active", "circuit"), of_circuit.astype(float)),
            "spurious_tested": ((*cells, "tested_active", "layer"), spurious),
            "n_active_tested": ((*cells, "tested_active"), np.full((*shape, 1), 2)),
        },
        coords={
            "exponent": ("objective", [2.0, 4.0]),
            "class_balance": ("objective", [0.0, 1.0]),
            "steps": ("objective", [800, 2000]),
            "init": ("start", ["random"]),
            "n_active": [2],
            "n_circuits": 12,
            "computed": 0.1,
        },
    )


@pytest.mark.parametrize(
    ("error", "share"), [([0.01, 0.02, 0.5, 0.5], "50%"), ([0, 0, 0, 0], "100%"), ([2] * 4, "0%")]
)
def test_it_says_which_share_each_loss_computes(error, share, paper_style):
    found = circuits_loss.analyse(measured(error))
    said = circuits_loss.claim(found)
    assert said.startswith(
        "Of T = 12 circuits, 2 active, networks trained from random weights compute"
    )
    assert f"in 800 steps by each loss: plain L2 0%, balanced L4 2,000 steps {share}" in said
    assert f"balanced L4 2,000 steps {share} and 0.5 from random" in circuits_loss.finding(found)
    assert len(circuits_loss.draw(found).axes) == 3


def test_lost_runs_leave_no_number():
    lost = measured([1] * 4)
    found = circuits_loss.analyse(lost.assign(diverged=lost["diverged"] + 1))
    assert "nan%" in circuits_loss.claim(found)
