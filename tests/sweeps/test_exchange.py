"""Cells of a result as models with what is known of them, and in other programs' layouts."""

import numpy as np
import pytest

from sweeps.exchange import export_models
from sweeps.stored import select
from sweeps.stored_models import stored_models
from toymodels import interop
from toymodels.errors import InputError

AT = {"n_features": 4, "learning_rate": 0.01}


def test_a_cell_goes_out_and_comes_back_with_its_problem_and_loss(sizes, tmp_path):
    export_models(sizes, tmp_path / "cell.npz", "notebook", p_active=0.1, **AT)
    reading = interop.read(tmp_path / "cell.npz")
    cell = select(sizes, p_active=0.1, **AT)
    (about,) = reading.about
    np.testing.assert_array_equal(reading.models[0].W, cell.W)
    np.testing.assert_array_equal(reading.models[0].b, cell.b)
    assert about["p_active"] == 0.1
    assert about["importance"] == [1, 0.5, 0.25, 0.125]
    assert about["loss"] == float(cell.loss)
    assert about["at"] == {"p_active": 0.1, "init_scale": "0.25"} | {"n_hidden": 1} | AT


def test_cells_along_an_axis_become_the_instance_axis(sizes, tmp_path):
    export_models(sizes, tmp_path / "cells.npz", "arena", **AT)
    with np.load(tmp_path / "cells.npz") as file:
        np.testing.assert_array_equal(file["W"], sizes.W.isel(size=1, learning_rate=0))


def test_a_diverged_run_is_marked_and_not_exported(sizes, tmp_path):
    at = {"n_features": 4, "p_active": 0.1}
    assert [s.about.get("diverged", False) for s in stored_models(sizes, **at)] == [False, True]
    with pytest.raises(InputError, match=r"1 of 2 runs diverged, the first at p_active = 0\.1"):
        export_models(sizes, tmp_path / "m.npz", "notebook", **at)


def test_cells_of_other_sizes_do_not_fit_one_file(sizes, tmp_path):
    with pytest.raises(InputError, match="different sizes"):
        export_models(sizes, tmp_path / "m.npz", "notebook", learning_rate=0.01, p_active=0.1)


def test_a_file_of_no_sweep_is_refused(sizes):
    with pytest.raises(InputError, match="holds no runs"):
        stored_models(sizes.drop_vars("diverged"))
    with pytest.raises(InputError, match="no coordinate 'p_activ'"):
        stored_models(sizes, p_activ=0.1)


def test_what_is_exported_as_npz_reads_as_it_was(sizes, tmp_path):
    """Also `export_npz`, which writes the world and the config into the file itself."""
    from sweeps import export_npz

    export_npz(sizes, tmp_path / "cell.npz", p_active=0.1, **AT)
    reading = interop.read(tmp_path / "cell.npz")
    assert (reading.layout, reading.notes) == ("toymodels", ())
    assert reading.about[0]["importance"] == [1, 0.5, 0.25, 0.125]
    assert "features" not in reading.about[0]
