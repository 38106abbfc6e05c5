"""A figure draws its own datasets and says of others what they are."""

import pytest
import xarray as xr

import figures
from toymodels.errors import InputError


def test_another_figures_dataset_is_named_and_so_is_the_figure_that_draws_it():
    k_gons = xr.Dataset(attrs={"figure": "k-gons"})
    with pytest.raises(InputError, match=r"of the figure k-gons, not of intro: .* figures.k_gons"):
        figures.intro.draw(k_gons)


def test_what_lacks_the_numbers_or_is_no_dataset_is_refused_with_the_way_to_one():
    with pytest.raises(InputError, match=r"not a dataset of intro .*figures.intro.analyse"):
        figures.intro.draw(xr.Dataset())
    with pytest.raises(InputError, match=r"dataset = 'intro.nc': .*figures.intro.compute"):
        figures.intro.draw("intro.nc")


def test_an_error_in_drawing_a_dataset_of_its_own_is_not_hidden():
    with pytest.raises(KeyError):
        figures.intro.draw(xr.Dataset(attrs={"figure": "intro"}))
