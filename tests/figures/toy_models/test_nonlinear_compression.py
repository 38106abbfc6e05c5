"""What the figure of the nonlinear compression says and draws."""

import numpy as np
import pytest

import figures
from figures.toy_models import nonlinear_compression as module
from toymodels.errors import InputError

of = figures.nonlinear_compression.compute


@pytest.fixture(scope="module")
def dataset():
    return of(version="tiny")


def test_the_claim_compares_the_example_with_a_linear_map(dataset):
    said = dataset.attrs["claim"]
    assert said.startswith("With 3 stairs and ramps of 0.1 of a stair the error is 0.0204 (0.0198")
    assert said.endswith("4.1 times less than any linear map's 0.083")
    assert "0.1 of x gives 0.043" in dataset.attrs["caption"]
    wide = of(version="tiny", example_ramp=0.8)
    assert "0.102 (0.0644" in wide.attrs["claim"]
    assert wide.attrs["claim"].endswith("not below a linear map's 0.083")


def test_curves_end_at_the_ideal_and_the_map_is_a_staircase(dataset):
    drawn = module.draw(dataset)
    lines, errors = drawn.axes[0].lines, drawn.axes[1]
    x, t = lines[0].get_data()  # y = 0
    np.testing.assert_allclose(np.interp([0.1, 1 / 3, 0.5, 0.9], x, t), [0, 1 / 6, 1 / 3, 2 / 3])
    ideal = [line.get_ydata()[0] for line in errors.lines if line.get_marker() == "<"]
    np.testing.assert_allclose(ideal[:2], [1 / 48, 1 / 108])
    assert errors.get_legend() is not None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"stairs": [1, 3]}, "stairs = "),
        ({"example_stairs": 0}, "example_stairs = 0"),
        ({"narrowest": 0.0}, "narrowest = 0"),
        ({"example_ramp": 1.5}, "example_ramp = 1.5"),
        ({"points": 1}, "points = 1"),
    ],
)
def test_what_is_not_possible_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        of(**given)
