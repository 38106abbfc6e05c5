"""How a figure's dataset comes about: stored, resumed part by part, refused before it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from builders import CountedParts

from figures.kit.compute import Drawable, planned
from figures.kit.entry import entries
from toymodels.errors import InputError

TABLE = """
model = "relu"
n_features = 3
n_hidden = 2
steps = 20
batch_size = 16
evaluation_size = 64
[grid]
p_active = [0.1, 0.5]
seed = { range = 2 }
[settings]
n_points = 3
[fast]
learning_rate = 0.02
settings.n_points = 2
"""


@dataclass
class Stub:
    """An entry of a file and a module of the test's own."""

    source: Path
    code: Any
    name: str = "stub"
    version: int = 1
    axes: tuple = ("p_active", "seed")
    requires: dict = field(default_factory=dict)
    beside: tuple = ()
    sweep: str = ""

    @property
    def file(self):
        return self.source

    def module(self):
        return self.code


class Code(CountedParts):
    """A module with an analysis in parts."""

    def analyse(self, dataset, parts):
        squares = [float(part["square"]) for part in parts.values()]
        return xr.Dataset({"square": ("point", squares), "loss": dataset["loss"].mean()})

    def claim(self, dataset):
        return f"The last square is {float(dataset['square'][-1]):g}"

    def caption(self, dataset):
        return ["squares"]


@pytest.fixture
def stub(tmp_path):
    (tmp_path / "stub.toml").write_text(TABLE)
    return Stub(tmp_path / "stub.toml", Code())


def test_a_second_call_reads_everything_and_computes_nothing(stub, tmp_path):
    first = Drawable(stub).compute(out=tmp_path / "out")
    assert stub.code.computed == [0, 1, 2]
    again = Drawable(stub).compute(out=tmp_path / "out")
    assert stub.code.computed == [0, 1, 2]
    xr.testing.assert_identical(first, again)
    assert first.attrs["claim"] == "The last square is 4"
    assert "20 steps of 16 examples" in first.attrs["caption"]
    assert "squares" in first.attrs["caption"]
    assert int(first["n_features"]) == 3  # what all cells share stays


def test_what_was_finished_of_an_analysis_is_kept(stub, tmp_path):
    whole = Drawable(stub).compute()
    stub.code.computed.clear()

    def fail():
        raise KeyboardInterrupt

    parts = stub.code.parts
    stub.code.parts = lambda dataset: parts(dataset) | {"part 2": fail}
    with pytest.raises(KeyboardInterrupt):
        Drawable(stub).compute(out=tmp_path / "out")
    stub.code.parts = parts
    resumed = Drawable(stub).compute(out=tmp_path / "out")
    assert stub.code.computed == [0, 1, 2]
    xr.testing.assert_equal(resumed["square"], whole["square"])


def test_settings_and_versions_name_their_own_analysis(stub, tmp_path, capsys):
    out = tmp_path / "out"
    Drawable(stub).compute(out=out)
    changed = Drawable(stub).compute(out=out, overrides=("n_points=1",))
    assert changed.sizes["point"] == 1
    assert "changed: n_points=1" in changed.attrs["caption"]
    (run,) = (out / "runs").iterdir()  # one sweep, two analyses
    assert len(list((run / "analysis").glob("*.nc"))) == 2
    stub.version = 2
    stub.code.computed.clear()
    Drawable(stub).compute(out=out)
    assert stub.code.computed == [0, 1, 2]
    assert "older version's analysis: it is computed again" in capsys.readouterr().out


def test_fresh_computes_the_analysis_again(stub, tmp_path):
    Drawable(stub).compute(out=tmp_path)
    Drawable(stub).compute(out=tmp_path, fresh=True)
    assert stub.code.computed == [0, 1, 2, 0, 1, 2]


def test_fast_applies_to_the_sweep_and_to_the_settings(stub):
    plan = planned(stub, "fast")
    assert plan.settings == {"n_points": 2}
    assert plan.config is not None
    assert plan.config.run["learning_rate"] == 0.02
    assert "FAST" in Drawable(stub).compute(fast=True).attrs["caption"]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["grid.learning_rate=[0.1]"], "draws p_active, seed, but the grid has 'learning_rate'"),
        (["n_points=2.5"], "n_points = 2.5: give a whole number"),
        (["n_pionts=2"], "unknown key 'n_pionts'"),
        (["n_features=4"], "n_features = 4: stub is about n_features = 3 alone"),
        (['measures=["activity"]'], "measures: stub draws geometry, name it as well"),
        (['keep=["loss"]'], "keep: stub draws from every variable: leave keep out"),
    ],
)
def test_what_it_cannot_draw_is_refused_before_anything_runs(stub, texts, told):
    stub.requires = {"n_features": 3}
    with pytest.raises(InputError, match=told):
        Drawable(stub).compute(overrides=texts)
    assert stub.code.computed == []


def test_an_axis_that_moves_with_others_must_be_one_of_the_figures_own():
    entry = entries()["superposition-20-5"]
    assert planned(entry, "tiny", ["zip.panel.p_active=[1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]"])
    with pytest.raises(InputError, match="does not draw n_hidden along 'panel'"):
        planned(entry, "tiny", ["zip.panel.n_hidden=[2, 3, 2, 2, 2, 2, 2, 2]"])
    with pytest.raises(InputError, match="give at least one other model"):
        planned(entry, "tiny", ['zip.panel={model=["linear"], p_active=[1]}'])


def test_an_axis_that_is_missing_is_refused(stub):
    stub.axes = ("p_active", "seed", "relative_importance")
    with pytest.raises(InputError, match="the grid has no relative_importance"):
        planned(stub)


def test_a_figure_without_a_sweep_takes_its_settings_alone(tmp_path):
    (tmp_path / "still.toml").write_text("[settings]\nn_points = 2\nlevels = [0.5, 1.0]\n")
    code = Code()
    stub = Stub(tmp_path / "still.toml", code, name="still")
    code.analyse = lambda dataset, parts: dataset.assign(total=dataset["levels"].sum())
    code.claim = lambda dataset: f"Sum {float(dataset['total'])}"
    ds = Drawable(stub).compute(out=tmp_path / "out", overrides=("levels=[1.0, 2.5]",))
    assert ds.attrs["claim"] == "Sum 3.5"
    assert code.computed == [0, 1]
    with pytest.raises(InputError, match=r"has no key for steps=3\. It has n_points, levels"):
        Drawable(stub).compute(overrides=("steps=3",))


def test_sweeps_beside_a_figures_own_are_parts_of_its_analysis(stub, tmp_path, monkeypatch):
    beside = tmp_path / "other.toml"
    table = TABLE.replace("[settings]\nn_points = 3\n", "")
    beside.write_text(table.replace("[grid]", "learning_rate = 0.5\n[grid]"))
    monkeypatch.setattr("figures.kit.compute.path_of", lambda name: beside)
    stub.beside, code = ("other",), SimpleNamespace()
    code.analyse = lambda dataset, parts: xr.Dataset({"rate": parts["other"]["learning_rate"]})
    code.claim = lambda dataset: f"{float(dataset['rate'])} beside"
    stub.code = code
    out = tmp_path / "out"
    assert Drawable(stub).compute(out=out).attrs["claim"] == "0.5 beside"
    assert sorted(p.name.rpartition("-")[0] for p in (out / "runs").iterdir()) == ["other", "stub"]


def test_two_processes_may_draw_figures_of_one_sweep(stub, tmp_path):
    """The sweep's lock is not taken for an analysis, nor for a result that is there."""
    from sweeps.folder import RunFolder
    from sweeps.run import folder_of

    Drawable(stub).compute(out=tmp_path)
    config = planned(stub).config
    assert config is not None
    with RunFolder(folder_of(config, tmp_path), config.as_json()):
        ds = Drawable(stub).compute(out=tmp_path, overrides=("n_points=2",))
    np.testing.assert_array_equal(ds["square"], [0, 1])


@pytest.mark.parametrize("kept", [False, True])
def test_blocks_of_a_figures_sweep_go_to_the_executor(kept, tmp_path):
    class Elsewhere(Exception):
        """Raised where blocks arrive."""

    class Executor:
        def run(self, jobs, folder, advance):
            raise Elsewhere(len(jobs), folder is not None)

    with pytest.raises(Elsewhere) as told:
        out = tmp_path if kept else None
        Drawable(entries()["intro"]).compute(version="tiny", executor=Executor(), out=out)
    assert told.value.args == (1, kept)
