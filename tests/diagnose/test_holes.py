"""Whatever is missing, NaN, infinite or 0 in a history: there is a diagnosis, and it can be written as JSON."""

import dataclasses
import json
import math
import random

import pytest

from scratchnet.diagnose import diagnose, registry
from scratchnet.train.history.history import History

from . import cases_course, cases_data, cases_margins_course, cases_margins_splits, cases_margins_start, cases_start  # noqa: F401  they enter their cases
from .cases import THERE
from .runs import run

WRONG = (None, math.nan, math.inf, -math.inf, 0, -1.0, 1e300)


def spoil(value, rng, rate):
    """The same record with a share `rate` of its numbers replaced."""
    if dataclasses.is_dataclass(value):
        changes = {f.name: spoil(getattr(value, f.name), rng, rate) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    if isinstance(value, dict):
        return {name: spoil(one, rng, rate) for name, one in value.items()}
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        return tuple(spoil(one, rng, rate) for one in value)
    if isinstance(value, float) and rng.random() < rate:
        return rng.choice(WRONG)
    return None if rng.random() < rate / 2 and not isinstance(value, str | bool) else value


def spoiled(history, seed):
    rng = random.Random(seed)
    rate = rng.choice([0.05, 0.3, 0.9])
    broken = History(config=history.config if rng.random() < 0.7 else {}, end=history.end)
    broken.losses = [rng.choice(WRONG[1:]) if rng.random() < rate else x for x in history.losses]
    broken.lrs = [float(rng.choice(WRONG[1:])) if rng.random() < rate / 3 else x for x in history.lrs]
    keep = lambda records: [kept(one, spoil(one, rng, rate)) for one in records if rng.random() > rate / 4]  # noqa: E731
    broken.looks, broken.epochs, broken.events = map(keep, (history.looks, history.epochs, history.events))
    broken.data = {name: kept(facts, spoil(facts, rng, rate)) for name, facts in history.data.items()}
    return broken


def kept(old, new):
    """What a record must have: its key, and its collections."""
    names = {"step", "epoch", "split", "samples", "splits", "parameters", "layers", "what"}
    must = {
        f.name: getattr(old, f.name)
        for f in dataclasses.fields(old)
        if f.name in names and getattr(new, f.name) is None
    }
    return dataclasses.replace(new, **must)


@pytest.mark.parametrize("case", THERE, ids=lambda case: case.make.__name__)
def test_holes(case):
    history = case.make()
    for seed in range(6):
        diagnosis = diagnose(spoiled(history, seed))
        json.dumps(diagnosis.as_dict(), allow_nan=False)
        assert len(diagnosis.order) + len(diagnosis.fine) + len(diagnosis.unknown) == len(registry())
        assert all(0 < finding.found.sure <= 1 for finding in diagnosis)


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_run_that_just_began(epochs):
    history = run()
    del history.epochs[epochs:], history.looks[1:], history.losses[1:], history.lrs[1:]
    assert diagnose(history).order == ()


def test_nothing():
    diagnosis = diagnose(History())
    assert (diagnosis.order, diagnosis.fine) == ((), ())
    assert all(why for _, why in diagnosis.unknown)


def test_all_is_nan():
    history = run()
    history.losses[:] = [math.nan] * len(history.losses)
    assert "non-finite" in diagnose(history).order
