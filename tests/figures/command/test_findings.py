"""FINDINGS.md is made from the datasets that are kept, and they still say what stands there."""

import json

import numpy as np
import pytest

from figures.command import findings
from figures.command.findings import KEPT, MOST_BYTES, PAGE, anchor, keep, path_of, told
from figures.kit.caption import said_of
from figures.kit.entry import entries, entry_of
from sweeps.store import open_dataset, save_dataset
from toymodels.errors import InputError

FILES = sorted(KEPT.glob("*.nc"))
QUESTIONS = [entry for entry in entries().values() if entry.question]


def test_the_page_is_that_of_the_front_matter_and_of_the_datasets_that_are_kept():
    assert findings.page() == PAGE.read_text(encoding="utf-8"), f"run: {findings.MAKE} --text"


@pytest.mark.parametrize("name", [entry.name for entry in QUESTIONS])
def test_every_figure_with_a_question_has_a_dataset_that_is_kept(name):
    assert path_of(entry_of(name)).exists(), f"run: {findings.MAKE} {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dataset_that_is_kept_is_small_of_today_and_says_what_it_said(path):
    """One with overrides is what a figure should not take: it may be older than its file."""
    dataset, name = open_dataset(path), path.stem.removesuffix(".override")
    entry = entry_of(name)
    assert entry.question
    assert path.stat().st_size <= MOST_BYTES
    assert dataset.attrs["figure"] == name
    overrides = json.loads(dataset.attrs["overrides"])
    assert bool(overrides) == path.stem.endswith(".override")
    outdated = f"{path.name} is of another version of its figure: {findings.MAKE} {name}"
    assert overrides or not findings.is_outdated(entry, dataset.attrs), outdated
    said = said_of(entry.module(), dataset)
    assert said == {name: dataset.attrs[name] for name in said}, f"{findings.MAKE} {name}"


def test_a_dataset_that_is_kept_is_drawn_again_from_its_file(command, tmp_path):
    path = KEPT / "circuits-bias.nc"
    status, out, err = command(
        "figure", "circuits-bias", "--from", path, "--out", tmp_path, "--format", "png"
    )
    assert status == 0, err
    assert told(entry_of("circuits-bias"))["claim"] in out
    assert [found.name for found in tmp_path.iterdir()] == ["circuits-bias.png"]


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Keep in another folder."""
    monkeypatch.setattr(findings, "KEPT", tmp_path / "findings")
    return tmp_path / "findings"


def bias():
    dataset = open_dataset(KEPT / "circuits-bias.nc")
    return entry_of("circuits-bias"), dataset.assign(wide=("n", np.linspace(0, 1, 1000)))


def test_what_is_kept_is_float32_compressed_and_keeps_its_date_while_it_says_the_same(elsewhere):
    entry, dataset = bias()
    path = keep(entry, dataset)
    assert path == elsewhere / "circuits-bias.nc"
    made = open_dataset(path)
    assert made["wide"].dtype == np.float32
    assert json.loads(made.attrs["provenance"])["time"] > "2026"
    old = made.assign_attrs(provenance=json.dumps({"time": "2001-01-01"}))
    save_dataset(old, path)
    keep(entry, dataset)
    assert "2001-01-01" in told(entry)["provenance"]
    keep(entry, dataset.assign(wide=dataset["wide"] + 1))
    assert "2001-01-01" not in told(entry)["provenance"]


def test_what_takes_too_many_bytes_is_refused_and_what_was_kept_stays(elsewhere, monkeypatch):
    entry, dataset = bias()
    monkeypatch.setattr(findings, "MOST_BYTES", 100_000)
    before = keep(entry, dataset).read_bytes()
    noise = np.random.default_rng(0).uniform(size=30_000)
    with pytest.raises(InputError, match=r"circuits-bias: its dataset takes more than 100,000"):
        keep(entry, dataset.assign(noise=("m", noise)))
    assert [path.read_bytes() for path in elsewhere.iterdir()] == [before]


def _text(entry):
    return "\n".join(findings._section(entry))


def test_a_result_with_overrides_stands_below_with_its_date(elsewhere):
    entry, dataset = bias()
    keep(entry, dataset)
    changed = dataset.assign_attrs(changed="width=2000")
    assert keep(entry, changed, ["width=2000"]).name == "circuits-bias.override.nc"
    text = _text(entry)
    assert text.count(dataset.attrs["claim"]) == 2
    assert "With width=2000, kept apart:" in text
    assert "; kept with width=2000 on 20" in text
    assert "before its figure changed" not in text
    odd = keep(entry, changed, ["width=2000"])
    save_dataset(open_dataset(odd).assign_attrs(overrides='["widht=2000"]'), odd)
    assert "before its figure changed" in _text(entry)


def test_a_finding_shows_its_verdict_and_one_that_is_not_kept_says_how(elsewhere, monkeypatch):
    entry, dataset = bias()
    assert "Not kept yet: `python -m figures.command.findings circuits-bias`." in findings.page()
    monkeypatch.setattr(entry.module(), "verdict", lambda dataset: "undecided", raising=False)
    keep(entry, dataset)
    text = findings.page()
    assert " Verdict: **undecided**." in text
    assert f"](#{anchor(entry.question)}) | undecided | `circuits-bias` |" in text


def test_headings_have_the_addresses_that_github_gives_them():
    assert anchor("Is `b` = 0.25, not 1, better (z = 1)?") == "is-b--025-not-1-better-z--1"


def test_the_command_keeps_what_is_named_and_writes_the_page(elsewhere, monkeypatch, capsys):
    _, dataset = bias()
    page = elsewhere.parent / "FINDINGS.md"
    monkeypatch.setattr(findings, "PAGE", page)
    monkeypatch.setattr(findings.Drawable, "compute", lambda self, **how: dataset)
    monkeypatch.setattr("sys.argv", ["findings", "circuits-bias"])
    findings.main()
    assert f"circuits-bias: {dataset.attrs['claim']}" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == findings.page()
    monkeypatch.setattr("sys.argv", ["findings", "width=2000"])
    with pytest.raises(SystemExit):
        findings.main()
    assert "name just one" in capsys.readouterr().err
