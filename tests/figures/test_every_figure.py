"""Every figure there is, in its tiny version: it computes, claims, draws, and survives its file."""

import re
import tomllib

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import figures
from figures.kit.compute import has_version, is_sweep, planned, sweep_table
from figures.kit.entry import FIGURES, GROUPS, Entry, entries, files, papers
from sweeps.config.parse import parse, read_toml
from sweeps.store import open_dataset, save_dataset
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

NAMES = list(entries())
SWEEPS = [name for name, path in files().items() if is_sweep(read_toml(path))]


def drawable(name):
    return getattr(figures, name.replace("-", "_"))


# In the quick tier one figure that is trained, one that is simulated and one of settings alone;
# what is solved, has parts or sweeps beside it has quick tests of its own. The claims run all.
QUICK = ("intro", "rotations-error", "schematics")


def marked(name):
    """With the claims, but for a few."""
    return pytest.param(name, marks=[] if name in QUICK else [pytest.mark.claims])


@pytest.mark.parametrize("name", [marked(name) for name in NAMES])
def test_every_figure_computes_claims_draws_and_survives_its_file(name, tmp_path):
    dataset = drawable(name).compute(version="tiny")
    drawn = drawable(name).draw(dataset)
    drawn.savefig(tmp_path / "figure.png", dpi=40)
    texts = " ".join(text.get_text() for text in drawn.findobj(mpl.text.Text))
    texts = " ".join(texts.split())  # claims and captions are broken into lines
    claim, caption = dataset.attrs["claim"], dataset.attrs["caption"]
    assert claim.strip()
    assert " ".join(claim.split()) in texts
    assert " ".join(caption.split()) in texts
    assert ("TINY" in caption) == has_version(entries()[name], "tiny")
    assert not [k for k, v in dataset.data_vars.items() if not v.attrs.get("long_name")]
    assert set(getattr(entries()[name].module(), "WORDS", {})) <= set(dataset)
    save_dataset(dataset, tmp_path / "figure.nc")
    again = open_dataset(tmp_path / "figure.nc")
    assert drawable(name).claim(again) == claim
    plt.close(drawn)
    draw_into_own_axes(drawable(name), again)


def draw_into_own_axes(figure, dataset):
    """Draw into one axes or, where that is refused, into as many as the message names."""
    ours, ax = plt.subplots()
    try:
        assert figure.draw(dataset, ax=ax) is ours
    except InputError as error:
        n, names = re.search(r"draws (\d+): (.*), in this order or by name", str(error)).groups()
        assert len(re.findall(r"'.+?'", names)) == int(n) > 1
        ours, axes = plt.subplots(1, int(n))
        assert figure.draw(dataset, axes) is ours


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_with_something_to_shrink_has_a_tiny_and_a_fast_version(name):
    entry = entries()[name]
    table = read_toml(entry.file)
    if is_sweep(read_toml(entry.source)) or "settings" in table:
        assert has_version(entry, "tiny")
        assert has_version(entry, "fast")


def cost(config):
    """Cells times steps or examples."""
    shared = config.variants[0]
    total = 0
    for point in config.grid.points():
        total += point.get("steps", shared.get("steps", 1)) * point.get(
            "n_samples", shared.get("n_samples", 1)
        )
    return total


@pytest.mark.parametrize("name", SWEEPS)
def test_every_sweep_is_valid_and_its_smaller_versions_cost_less(name):
    table = sweep_table(files()[name])
    full, fast, tiny = (cost(parse(table, (), version)) for version in ("", "fast", "tiny"))
    assert tiny < fast < full


@pytest.mark.parametrize("name", [n for n in NAMES if n not in SWEEPS])
def test_every_smaller_version_of_settings_has_smaller_values(name):
    entry = entries()[name]
    full = planned(entry).settings
    for version in ("fast", "tiny"):
        smaller = planned(entry, version).settings
        assert set(smaller) == set(full)
        for key, value in smaller.items():
            if value != full[key]:
                sizes = [len(v) if isinstance(v, list) else v for v in (value, full[key])]
                assert sizes[0] < sizes[1], (version, key)


@pytest.mark.parametrize(
    ("name", "override", "told"),
    [
        ("intro", "n_hidden=3", "intro is about n_hidden = 2 alone"),
        ("intro", "grid.learning_rate=[0.01, 0.03]", "the grid has 'learning_rate' too"),
        ("phase-diagram-2-1", "n_features=3", "is about n_features = 2 alone"),
        ("phase-diagram-2-1-sampled", "grid.p_active=[0.5]", "at least two values above 0"),
        ("estimators", "snapshots=[]", "give the steps at which noise is measured"),
        ("estimators", "grid.p_active=[0.0, 0.1]", "p_active = 0.0: give densities above 0"),
        ("rotations-error", "value=onn", "give x or on. Did you mean 'on'"),
        ("rotations-sweep-x-active", "error=x", "give one of x_active"),
    ],
)
def test_what_a_figure_cannot_draw_is_refused_before_anything_runs(name, override, told):
    with pytest.raises(InputError, match=told):
        planned(entries()[name], "", [override])


@pytest.mark.parametrize("name", NAMES)
def test_every_front_matter_is_complete(name):
    entry = entries()[name]
    for key in ("title", "section", "says"):
        text = getattr(entry, key)
        assert text.strip()
        assert not text.endswith("."), key
    assert entry.cite in papers()
    assert 0 < entry.fast_seconds <= entry.seconds
    module = entry.module()
    assert callable(module.claim)
    assert callable(module.draw)
    assert module.__doc__
    if is_sweep(read_toml(entry.source)):
        assert entry.axes


def test_every_file_of_a_group_is_a_figure_or_a_sweep_with_a_description():
    for name, path in files().items():
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert "figure" in table or (
            is_sweep(table) and table["description"] and table["name"] == name
        )


def test_every_group_has_a_folder():
    for group in GROUPS:
        folder = FIGURES / group.replace("-", "_")
        assert folder.is_dir() or not any(e.group == group for e in entries().values())


def test_places_in_a_group_are_not_taken_twice():
    places = [(e.group, e.order) for e in entries().values()]
    assert len(set(places)) == len(places)


def test_a_name_of_no_figure_is_an_attribute_error_that_says_where_the_names_are():
    with pytest.raises(AttributeError, match="toymodels list"):
        _ = figures.nonsense


def test_an_entry_is_light_and_knows_its_files():
    entry = entries()["rotations-error"]
    assert isinstance(entry, Entry)
    assert entry.file.name == "rotations-error.toml"
    assert entry.source.name == "circuits-post.toml"
    assert entry.module().__name__ == "figures.circuits.errors_by_layer"
