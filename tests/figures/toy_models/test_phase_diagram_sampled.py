"""The trained phase diagrams: best seeds, what the others do, and what is said."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import phase_diagram_sampled
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

NAMES = ["phase-diagram-2-1-sampled", "phase-diagram-3-2-sampled"]


def trained():
    """Three seeds of 2→1: antipodal twice, dedicated once, everywhere."""
    W = np.array([[[1.0, -1.0]], [[1.0, -0.9]], [[0.0, 1.0]]])
    shape = {"relative_importance": 2, "p_active": 3, "seed": 3}
    full = np.broadcast_to(W, (2, 3, *W.shape))
    norm = np.abs(full[..., 0, :])
    share = norm[..., ::-1] ** 2 * (norm.min(-1) > 0)[..., None]
    cells = tuple(shape)
    ranking = np.array([[[1.0, 2, 3]] * 3, [[2.0, 3, 1]] * 3])  # where r = 4 the last one wins
    variables = {
        "W": ((*cells, "hidden", "feature"), full),
        "norm": ((*cells, "feature"), norm),
        "superposition": ((*cells, "feature"), share),
        "loss": (cells, ranking),
        "loss_ranking": (cells, ranking),
        "diverged": (cells, np.zeros((2, 3, 3), int)),
    }
    coords = {"relative_importance": [0.25, 4.0], "p_active": [0.02, 0.1, 0.9], "seed": [5, 6, 7]}
    return xr.Dataset(variables, coords | {"n_features": 2, "n_hidden": 1})


def test_the_best_seed_is_shown_and_has_no_vote_on_how_often_it_is_found():
    maps = phase_diagram_sampled.analyse(trained())
    assert maps["best_seed"].values.tolist() == [[5] * 3, [7] * 3]
    assert maps["label"].values.tolist() == [[2] * 3, [1] * 3]  # antipodal; dedicated
    np.testing.assert_allclose(maps["share"], [[0.5] * 3, [0.0] * 3])
    assert np.all(maps["n"] == 2)
    np.testing.assert_allclose(maps["norm_mean"], (1.0 + 0.9 + 1.0) / 3)
    assert np.all(maps["superposition_of_others"] == 0)


def test_a_cell_whose_seeds_all_diverged_is_in_no_phase_and_counts_against_training():
    runs = trained()
    runs["diverged"][0, 0] = 1
    maps = phase_diagram_sampled.analyse(runs)
    assert maps["label"].values.tolist() == [[-1, 2, 2], [1] * 3]
    assert float(maps["agreement_outside_band"]) == pytest.approx(2 / 6)


def test_the_claim_counts_cells_of_theorys_phase_away_from_its_boundaries():
    maps = phase_diagram_sampled.analyse(trained())
    # Theory: antipodal where sparse; dropped or dedicated at density 0.9.
    assert float(maps["agreement_outside_band"]) == pytest.approx(3 / 6)
    assert "theory's phase in 50.0% of the cells" in phase_diagram_sampled.claim(maps)
    none = maps.assign(agreement_outside_band=((), np.nan))
    assert "every cell lies on a boundary" in phase_diagram_sampled.claim(none)
    assert "of the other seeds 25% end in the best one's phase" in " ".join(
        phase_diagram_sampled.caption(maps)
    )


def test_it_draws_the_best_seeds(tmp_path):
    maps = phase_diagram_sampled.analyse(trained())
    drawn = figures.phase_diagram_2_1_sampled.draw(maps)
    shown = np.swapaxes(drawn.axes[1].collections[0].get_array(), 0, 1)
    np.testing.assert_allclose(shown, phase_diagram_sampled.phases.map_color(maps))
    assert drawn.axes[1].get_title() == "trained: the best of 3 seeds"


@pytest.mark.claims  # compiles for many seconds
def test_published_phase_maps_have_exactly_two_dimensions():
    maps = figures.phase_diagram_2_1_sampled.compute(version="tiny")
    for name in ("norm", "superposition", "label", "label_theory"):
        assert maps[name].dims == ("relative_importance", "p_active")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("n_features=4", "n_features = 4.*about n_features ="),
        ("features.values=signed_uniform", "features.values = signed_uniform"),
        ("grid.p_active=[0.5]", "at least two values"),
        ("grid.learning_rate=[0.1, 0.2]", "has 'learning_rate' too"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_training(name, override, message):
    with pytest.raises(InputError, match=message):
        planned(
            entry_of(name),
            "",
            ("n_features=4", override) if "n_hidden" in override else (override,),
        )


@pytest.mark.parametrize("name", NAMES)
def test_maps_have_cells_enough_even_when_fast(name):
    for version in ("", "fast"):
        assert min(planned(entry_of(name), version).config.grid.shape[:2]) >= 24
