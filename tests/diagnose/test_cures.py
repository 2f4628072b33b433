"""A fault that was put in on purpose is cured by the change that is meant for it, on digits drawn for the test."""

from dataclasses import replace

import pytest

from scratchnet.core.initializers import Constant, Normal
from scratchnet.data import Split, drawn
from scratchnet.diagnose import prove
from scratchnet.layers import Dense, Dropout, Flatten, ReLU, Softmax
from scratchnet.optim import SGD
from scratchnet.train import Recipe

from .test_counterfactual import found, sureness

TRAIN, TEST = Split("train", *drawn(600, seed=0, name="train")), Split("test", *drawn(300, seed=0, name="test"))
FINE = Recipe(layers=(Flatten(), Dense(32), ReLU(), Dense(10)), train=TRAIN, test=TEST, optimizer=SGD(0.1),
              batch_size=10, epochs=4, backend="reference")  # fmt: skip
CONSTANT = Constant(0.01)


def layers(**first):
    return (Flatten(), Dense(32, **first), ReLU(), Dense(10))


def in_order():
    order = TRAIN.y.argsort(kind="stable")
    return Split("train", TRAIN.x[order], TRAIN.y[order])


FAULTS = {
    "inputs-unscaled": {"scale": 1.0},
    "lr-too-high": {"optimizer": SGD(30.0)},
    "lr-too-low": {"optimizer": SGD(1e-3)},
    "zero-init": {"layers": layers(init=Constant(0.0))},
    "symmetric-init": {"layers": (Flatten(), Dense(32, init=CONSTANT), ReLU(), Dense(10, init=CONSTANT))},
    "huge-init": {"layers": layers(init=Normal(5.0))},
    "frozen-parameters": {"frozen": ("1", "3.W")},
    "double-softmax": {"layers": (*FINE.layers, Softmax()), "optimizer": SGD(0.01)},
    "regularisation-too-strong": {"optimizer": SGD(0.1, weight_decay=0.5)},
    "momentum-diverges": {"optimizer": SGD(0.5, momentum=0.99)},
    "data-order": {"train": in_order(), "shuffle": False},
    "zero-batches": {"batch_size": 700, "drop_last": True, "epochs": 60},
}


@pytest.mark.parametrize("cause", FAULTS)
def test_is_cured(cause):
    told = prove(found(**{cause.replace("-", "_"): 0.7, "plateau": 0.4}), replace(FINE, **FAULTS[cause]))
    best = told.proof.best(cause)
    assert told.proof.clear(best.outcome, told.proof.baseline), [t.outcome.reached for t in told.proof.trials]
    assert sureness(told)[cause] == pytest.approx(0.85) or told.proof.best() is not best
    assert told.first.cause.id == cause


def test_dropout_that_drops_nearly_all():
    told = prove(
        found(regularisation_too_strong=0.7), replace(FINE, layers=(Flatten(), Dropout(0.98), *FINE.layers[1:]))
    )
    assert told.proof.gain(told.proof.best("regularisation-too-strong").outcome) > 0.2


@pytest.mark.parametrize("cause", ["lr-too-high", "lr-too-low"])
def test_a_healthy_run_is_not_cured_by_anything(cause):
    """A false alarm: the records said 0.7, and every cure made it worse or nothing of it."""
    told = prove(found(**{cause.replace("-", "_"): 0.7}), FINE)
    assert sureness(told)[cause] == pytest.approx(0.35)
