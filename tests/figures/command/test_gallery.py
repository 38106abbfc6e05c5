"""What is generated is what stands: the README's tables, the gallery, its pictures and claims."""

import json
from types import SimpleNamespace

import pytest
from full_claims import MARKER, Record

from figures.command import gallery
from figures.kit.entry import entries

RUN = "run: python -m figures.command.gallery {}"


def test_the_readmes_tables_are_those_of_the_front_matter():
    readme = (gallery.ROOT / "README.md").read_text(encoding="utf-8")
    assert gallery.with_tables(readme) == readme, RUN.format("--text")
    for name, entry in entries().items():
        table = f"<!-- figures: {entry.group} --><!-- end -->"
        assert f"`toymodels figure {name}`" in readme, f"put {table} into README.md, then --text"


def test_the_gallery_is_that_of_the_front_matter_and_the_claims():
    claims = json.loads(gallery.CLAIMS.read_text(encoding="utf-8"))
    text = (gallery.ROOT / "GALLERY.md").read_text(encoding="utf-8")
    assert gallery.gallery(claims) == text, RUN.format("--text")


@pytest.mark.parametrize("name", entries())
def test_every_figure_has_a_picture_and_a_claim_in_the_gallery(name):
    assert (gallery.PICTURES / f"{name}.png").exists(), RUN.format(name)
    assert (gallery.PICTURES / f"{name}.png").stat().st_size > 5000
    assert json.loads(gallery.CLAIMS.read_text(encoding="utf-8"))[name]


def test_claims_at_full_settings_are_kept_test_by_test_and_shown(tmp_path):
    path, name = tmp_path / "kept.json", "tests/claims/test_a.py::test_two_hold_five[0.1]"
    path.write_text(json.dumps({"tests/b.py::test_b": {"outcome": "passed", "seconds": 1}}))
    record = Record(path, gallery.ROOT)
    for node, marks, outcome, seconds in (
        (name, {MARKER: 1}, "passed", 60.2),  # a phase each: what it sets up, and itself
        (name, {MARKER: 1}, "failed", 2.0),
        ("tests/c.py::test_small", {}, "passed", 3.0),
    ):
        report = {"nodeid": node, "keywords": marks, "outcome": outcome, "duration": seconds}
        record.pytest_runtest_logreport(SimpleNamespace(**report))
    record.pytest_sessionfinish()
    kept = json.loads(path.read_text())
    assert list(kept) == ["tests/b.py::test_b", name]  # one not run stays as it was
    assert (kept[name]["outcome"], kept[name]["seconds"]) == ("failed", 62)
    lines = gallery.full_claims({name: kept[name]})
    assert lines[-2].startswith("| two hold five (0.1) | failed | 62 | 2")
    assert gallery.full_claims({}) == []


def test_every_claim_that_is_kept_still_has_its_test():
    for name in gallery.read(gallery.FULL_CLAIMS):
        file, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}(" in (gallery.ROOT / file).read_text("utf-8"), name
