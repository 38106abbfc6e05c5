"""Settings of figures without a sweep: what may be changed, and what is refused."""

import pytest

from figures import rotations_error, settings
from figures.circuit_runs import Post
from toymodels.errors import InputError


def test_settings_take_numbers_and_lists():
    now = settings.changed(Post(), ("width=800", "bias=0.5", "n_active=2", "seed = 7"))
    assert (now.width, now.bias, now.n_active, now.seed) == (800, 0.5, (2,), 7)
    assert settings.changed(now, ("n_active=[1, 4]", "gain=3")).n_active == (1, 4)
    assert settings.changed(Post(), ()) == Post()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht=800", "Did you mean 'width'"),
        ("width", "give key=value"),
        ("width=800.5", "width = 800.5: give a whole number"),
        ("bias=true", "bias = true: give a number"),
        ("bias=much", "bias = much: give a number"),
        ("n_active=[]", "give whole numbers"),
        ("n_active=[1, 1]", "give each number once"),
        ("rounds=0", "rounds = 0 must be at least 1"),
        ("seed=-1", "seed = -1 must be at least 0"),
        ("n_circuits=558", "use n_circuits <= 557"),
        ("n_active=600", "n_active = 600"),
    ],
)
def test_settings_that_are_not_possible_are_refused_with_the_way_out(text, message):
    with pytest.raises(InputError, match=message):
        rotations_error.compute(overrides=(text,))
