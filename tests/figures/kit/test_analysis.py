"""An analysis that is kept: what is damaged of it is computed again, what is in its way refused.

Whole figures are in `test_compute.py`.
"""

import re
from types import SimpleNamespace

import pytest
import xarray as xr
from builders import CountedParts

from figures.kit.analysis import Keeper, analysed
from sweeps.progress import Quiet
from toymodels.errors import InputError


class Code(CountedParts):
    """A module with an analysis in two parts."""

    def analyse(self, dataset, parts):
        return xr.Dataset({"sum": sum(part["square"] for part in parts.values())})


@pytest.fixture
def code():
    return Code()


def run(code, folder):
    keeper = Keeper(folder, SimpleNamespace(name="stub", version=1), {}, "{}")
    return keeper, float(analysed(code, xr.Dataset(), keeper, Quiet(), {})["sum"])


def flip(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + b"?" + whole[-99:])


def test_what_is_damaged_is_computed_again_and_nothing_else(code, tmp_path, capsys):
    keeper, first = run(code, tmp_path)
    flip(keeper.path)
    assert run(code, tmp_path)[1] == first == 1
    assert code.computed == [0, 1]  # joined again from its parts
    flip(keeper.path)
    flip(keeper.part(1))
    assert run(code, tmp_path)[1] == first
    assert code.computed == [0, 1, 1]
    said = capsys.readouterr().out
    assert len(re.findall(r"\.nc is damaged: .* It is computed again\.", said)) == 3
    assert run(code, tmp_path)[1] == first
    assert code.computed == [0, 1, 1]


@pytest.mark.parametrize("where", ["", "parts", "part"])
def test_a_folder_or_a_file_in_its_way_is_refused_before_anything_is_computed(
    code, tmp_path, where
):
    keeper = Keeper(tmp_path, SimpleNamespace(name="stub", version=1), {}, "{}")
    parts = keeper.part(0).parent
    if where == "parts":
        parts.parent.mkdir(parents=True)
        parts.write_bytes(b"here first")
    else:
        (keeper.part(1) if where == "part" else keeper.path).mkdir(parents=True)
    with pytest.raises(InputError, match=r"[Mm]ove it away"):
        run(code, tmp_path)
    assert code.computed == []
