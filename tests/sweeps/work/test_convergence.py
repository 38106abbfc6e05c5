"""What more training would gain, on curves whose answer is known."""

import numpy as np
import pytest

from sweeps.work.convergence import STILL_FALLING, loss_fall, stops
from toymodels.optimizers import Constant, Cosine, Linear
from toymodels.training import TrainSpec, chunk_ends

SCHEDULES = {
    Constant(): (lambda x: 1 + 0 * x, lambda x: x),
    Linear(): (lambda x: 1 - x, lambda x: 1 - (1 - x) ** 2),
    Cosine(): (lambda x: (1 + np.cos(np.pi * x)) / 2, lambda x: x + np.sin(np.pi * x) / np.pi),
}


def curves(schedule, steps, fall=0.0, noise=0.0):
    """Losses that end at 1, with a fall in all rates spent and noise that is as the rate."""
    spec = TrainSpec.create(steps=steps, schedule=schedule)
    rate, spent = SCHEDULES[schedule]
    x = np.array(stops(chunk_ends(spec))) / steps
    loss = 1 + fall * (1 - spent(x)) + noise * (rate(x) - rate(np.array(1.0)))
    return spec, loss


def fall_of(spec, losses):
    return loss_fall(spec.schedule, stops(chunk_ends(spec)), losses)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("steps", [50, 300, 1000, 2345])
def test_a_tenth_of_the_fall_is_told_from_noise_that_shrinks_with_the_rate(schedule, steps):
    for fall, noise in ((0.3, 0.0), (0.3, 0.1), (0.0, 0.1), (0.0, 0.0)):
        spec, loss = curves(schedule, steps, fall, noise)
        np.testing.assert_allclose(fall_of(spec, loss), fall / 10, atol=2e-3)


def test_a_fall_that_is_over_is_none():
    """The fit to the second half alone would see one."""
    spec = TrainSpec.create(steps=1000, schedule=Constant())
    loss = np.array([3, 3, 3, 3, 3, 2, 1, 1, 1, 1.0])
    assert fall_of(spec, loss) == 0


def test_what_cannot_be_told_is_nan_or_nothing():
    spec, loss = curves(Cosine(), 1000, 0.3)
    assert np.isnan(fall_of(spec, loss * np.nan))
    assert np.isnan(
        loss_fall(
            spec.schedule,
            stops(chunk_ends(spec)),
            np.where(np.arange(len(loss)) == 7, np.inf, loss),
        )
    )
    assert fall_of(spec, 0 * loss) == 0
    rounding = np.append(np.ones(1), 1e-9 * np.arange(len(loss))[:0:-1])
    assert fall_of(spec, rounding) < STILL_FALLING
    short = TrainSpec.create(steps=2)
    assert np.isnan(fall_of(short, np.ones(len(stops(chunk_ends(short))))))


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100, 101, 650, 700, 1000, 12345])
def test_the_curve_is_looked_at_and_a_short_run_a_few_times_more(steps):
    spec = TrainSpec.create(steps=steps, snapshots=[0, 1])
    found = stops(chunk_ends(spec))
    assert set(chunk_ends(spec)) <= set(found)
    assert found[-1] == steps
    assert len(found) - len(chunk_ends(spec)) <= 3
    if steps >= 700:
        assert found == chunk_ends(spec)


def test_what_the_scatter_of_a_curve_explains_is_no_fall():
    spec, loss = curves(Cosine(), 1000)
    shaken = loss + 0.02 * np.random.default_rng(0).normal(size=(2000, len(loss)))
    assert (fall_of(spec, shaken) > STILL_FALLING).mean() < 0.1
