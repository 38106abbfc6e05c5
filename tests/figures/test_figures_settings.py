"""Settings of figures without a sweep: what may be changed, and what is refused."""

import pytest

from figures import circuits_interference, rotations_samples, settings
from figures.rotations_samples import Samples
from toymodels.errors import InputError


def test_settings_take_numbers_and_lists():
    now = settings.changed(Samples(), ("width=800", "n_active=2", "seed = 7"))
    assert (now.width, now.n_active, now.seed) == (800, (2,), 7)
    assert settings.changed(now, ("n_active=[1, 4]", "n_layers=3")).n_active == (1, 4)
    assert settings.changed(Samples(), ()) == Samples()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht=800", "Did you mean 'width'"),
        ("width", "give key=value"),
        ("width=800.5", "width = 800.5: give a whole number"),
        ("n_layers=true", "n_layers = true: give a whole number"),
        ("n_active=[]", "give whole numbers"),
        ("n_examples=0", "n_examples = 0 must be at least 1"),
        ("n_circuits=558", "use n_circuits <= 557"),
        ("n_active=600", "n_active = 600"),
    ],
)
def test_settings_that_are_not_possible_are_refused_with_the_way_out(text, message):
    with pytest.raises(InputError, match=message):
        rotations_samples.compute(overrides=(text,))


@pytest.mark.parametrize("text", ["n_seeds=0", "seed=-1", "redundancies=[0, 2]", "n_networks=0"])
def test_an_appendix_that_is_not_possible_is_refused(text):
    with pytest.raises(InputError, match=f"{text.partition('=')[0]} = .*must be at least"):
        circuits_interference.compute(overrides=(text,))
