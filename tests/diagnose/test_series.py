"""The course of a loss: where it is, what is missing, what one step is worth."""

import math

import pytest

from scratchnet.diagnose import NotKnownError
from scratchnet.diagnose.readings import broken, grown, settings, step_of
from scratchnet.diagnose.series import course, long
from scratchnet.diagnose.skill import able, learned, skill
from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Look, Losses, Measured

from .cases_start import two
from .runs import run


def of(values, **changes):
    history = History.of([Losses(first=1, values=tuple(values))])
    for name, value in changes.items():
        setattr(history, name, value)
    return history


def test_means_of_stretches():
    told = course(of([float(i) for i in range(400)]))
    assert told.unit == "step"
    assert told.first == 0
    assert told.values[0] == pytest.approx(4.5)
    assert told.where(-1) == "step 400"
    assert (told.lowest, told.highest) == (0, 39)


def test_single_samples_are_taken_together():
    history = of([0.0, 8.0] * 17)
    history.looks.append(Look(step=1, batch=1))
    assert len(course(history).values) == 2


def test_every_hundredth_step():
    history = of([1.0] * 200, stride=100)
    assert course(history).where(-1) == "step 19901"
    assert step_of(history, 3) == "step 301"


def test_epochs_where_there_are_no_steps():
    history = History.of(Epoch(epoch=e, splits={"train": Measured(loss=1 / e)}) for e in (1, 2, 3))
    told = course(history)
    assert (told.unit, told.at, told.values) == ("epoch", (1, 2, 3), (1.0, 0.5, 1 / 3))
    with pytest.raises(NotKnownError):
        long(history)


def test_what_is_not_finite_is_left_out():
    told = course(of([1.0] * 30 + [math.nan] * 5 + [math.inf] + [1.0] * 4))
    assert set(told.values) == {1.0}


def test_a_gap_is_no_breakdown():
    assert broken(of([1.0, math.nan, 1.0])) is None
    assert broken(of([1.0, math.nan, math.nan])) == 1
    assert broken(of([1.0, math.inf, 1.0])) == 1
    assert broken(of([])) is None


def test_skill_is_measured_from_the_commonest_class():
    assert skill(run(rates=(0.1, 0.1, 0.1))) == pytest.approx(0, abs=1e-3)
    assert skill(run(rates=(0.1, 0.1, 0.55))) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("SGD(lr=0.1, momentum=0.9)", "SGD", {"lr": 0.1, "momentum": 0.9}),
        ("Dropout(0.5)", "Dropout", {"0": 0.5}),
        ("Dense(10, init=HeNormal(gain=2))", "Dense", {"0": 10}),
        ("adam", "", {}),
        ("a (", "", {}),
        ("", "", {}),
    ],
)
def test_settings(text, name, given):
    assert settings(text) == (name, given)


def test_able_is_the_best_of_all_splits():
    """Dropout, noise and the changing weights keep the rate in training below what the network can do."""
    history = run(rates=(0.1, 0.4, 0.55), of_val=[(2.0, 0.2), (1.0, 0.7), (0.5, 0.91)])
    assert able(history) == pytest.approx(0.9, abs=2e-3)
    assert learned(history, 0.8)
    assert not learned(history, 0.95)
    history.losses[-1] = math.inf
    assert not learned(history, 0.8)


def test_the_middle_is_no_single_stretch():
    told = course(of([1.0] * 405 + [30.0] * 2 + [1.0] * 393))
    assert told.middle == pytest.approx(1.0)


def test_weights_that_begin_next_to_zero_do_not_count_as_grown():
    small = {"weight": 1.0, "size": 1280, "fan_in": 128}
    history = run(change=lambda step, loss: two(step, {"weight": 10.0 + step / 100}, small | {"weight": step - 0.5}))
    times, name, step = grown(history)
    assert (name, step) == ("0.W", 600)
    assert times == pytest.approx(16 / 10.01)
