"""What is generated is what stands: the README's tables, the gallery, its pictures and claims."""

import json

import pytest

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
