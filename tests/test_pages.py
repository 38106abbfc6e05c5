"""The pages under docs/: their TOML is a sweep, their numbers hold, and nothing is left out."""

import pkgutil
import re
import textwrap
import tomllib

import numpy as np
import pytest
from builders import ROOT

import toymodels
from sweeps.config.parse import parse
from toymodels.models import xavier_scale

SHARP = (ROOT / "docs" / "sharp-bits.md").read_text(encoding="utf-8")
FRAGMENTS = [
    tomllib.loads(textwrap.dedent(body))
    for body in re.findall(r"^ *```toml\n(.*?)^ *```", SHARP, re.DOTALL | re.MULTILINE)
]
WHOLE = [table for table in FRAGMENTS if "name" in table]

# Old addresses, the command, and what is documented as part of another room.
NO_PAGE = {"__main__", "laws", "geometry", "polytopes"}


def whole(i):
    """Return fragment i as a reader has it: with a file of its own, or put into the one above."""
    above = [table for table in FRAGMENTS[: i + 1] if "name" in table][-1]
    table = above | FRAGMENTS[i]
    grid = {k: v for k, v in table.get("grid", {}).items() if k not in table.get("features", {})}
    return table | ({"grid": grid} if "grid" in table else {})


@pytest.mark.parametrize("i", range(len(FRAGMENTS)))
def test_each_fragment_of_the_sharp_bits_is_a_sweep(i):
    parse(whole(i))


def test_the_notebooks_recipe_is_that_of_adamw_with_a_constant_rate():
    run = parse(WHOLE[0]).build({"features.p_active": 0.1}).run
    assert [type(run.spec.optimizer).__name__, type(run.spec.schedule).__name__] == [
        "AdamW",
        "Constant",
    ]
    np.testing.assert_allclose(run.task.importance, 0.9 ** np.arange(5), rtol=1e-6)
    assert float(run.spec.weight_decay) == pytest.approx(0.01)


def test_standard_deviations_of_first_weights_are_those_of_the_table():
    """PyTorch's rule for 3-D tensors: fan_in is what follows the second axis, times that axis."""
    told = [float(number) for number in re.findall(r"\| (0\.\d{3}) \|", SHARP)]
    instances, F, M = 10, 5, 2
    deviations = [
        xavier_scale(F, M),
        (2 / (M * (F + instances))) ** 0.5,
        (2 / (F * (M + instances))) ** 0.5,
        (3 * F) ** -0.5,
    ]
    np.testing.assert_allclose(told, deviations, atol=5e-4)
    scales = {table["init_scale"] for table in FRAGMENTS if "init_scale" in table}
    np.testing.assert_allclose(sorted(scales), sorted(deviations[1:3]), atol=5e-5)


@pytest.mark.claims  # importing torch takes seconds
def test_standard_deviations_of_first_weights_are_those_that_pytorch_draws():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    instances, F, M = 10, 5, 2
    for shape, width in (((instances, F, M), F), ((instances, M, F), M)):
        deviation = (2 / ((instances + width) * (F + M - width))) ** 0.5
        drawn = [torch.nn.init.xavier_normal_(torch.empty(shape)).numpy() for _ in range(300)]
        assert np.sqrt(np.mean(np.square(drawn))) == pytest.approx(deviation, rel=0.03)


def test_every_room_has_a_page_in_the_reference():
    pages = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs" / "api").glob("*.md"))
    rooms = {module.name for module in pkgutil.iter_modules(toymodels.__path__)} - NO_PAGE
    assert not [name for name in rooms if f"automodule:: toymodels.{name}" not in pages]
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("**/*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        assert name == "index" or f"\n{name}\n" in index
