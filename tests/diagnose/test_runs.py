"""Small runs, made here: the fault that was built in is named first, and the same run without it is healthy."""

from dataclasses import replace

import numpy as np
import pytest

from scratchnet.core.initializers import HeNormal, Zeros
from scratchnet.data import Split, load
from scratchnet.diagnose import diagnose
from scratchnet.layers import Dense, Flatten, ReLU, Sigmoid, Softmax
from scratchnet.optim import SGD
from scratchnet.train import Recipe

DATA = load("drawn")
RNG = np.random.default_rng(0)


def split(name, start, n):
    return Split(name, DATA.train.x[start : start + n], DATA.train.y[start : start + n])


TRAIN, VAL = split("train", 0, 600), split("val", 600, 200)
FINE = Recipe(
    layers=(Flatten(), Dense(32), ReLU(), Dense(10)), train=TRAIN, val=VAL, optimizer=SGD(0.05, momentum=0.9),
    batch_size=20, epochs=5, every=20,
)  # fmt: skip


def permuted(data):
    return Split("train", data.x, RNG.permutation(data.y))


def layers(*between, **settings):
    return (Flatten(), Dense(32, **settings), *between, Dense(10))


FAULTS = {
    "inputs-unscaled": {"scale": 1.0},
    "labels-shuffled": {"train": permuted(TRAIN)},
    "labels-remapped": {"val": Split("val", VAL.x, (VAL.y + 3) % 10)},
    "data-order": {"train": Split("train", TRAIN.x[np.argsort(TRAIN.y)], np.sort(TRAIN.y)), "shuffle": False},
    "split-leak": {"val": Split("val", np.concatenate([VAL.x, TRAIN.x[:80]]), np.concatenate([VAL.y, TRAIN.y[:80]]))},
    "lr-too-high": {"optimizer": SGD(20.0)},
    "lr-too-low": {"optimizer": SGD(1e-6)},
    "momentum-diverges": {"optimizer": SGD(0.05, momentum=0.999)},
    "regularisation-too-strong": {"optimizer": SGD(0.05, momentum=0.9, weight_decay=0.5)},
    "zero-init": {"layers": layers(ReLU(), init=Zeros())},
    "huge-init": {"layers": layers(ReLU(), init=HeNormal(gain=30.0))},
    "wrong-fan": {"layers": (Flatten(), Dense(256), ReLU(), Dense(10, init=HeNormal(mode="fan_out")))},
    "missing-nonlinearity": {"layers": layers()},
    "double-softmax": {"layers": (*layers(ReLU()), Softmax())},
    "vanishing-gradients": {
        "layers": (Flatten(), *(part for _ in range(7) for part in (Dense(32), Sigmoid())), Dense(10))
    },
    "frozen-parameters": {"frozen": ("1",)},
}


def test_the_sound_run_is_healthy():
    diagnosis = diagnose(FINE.run())
    assert diagnosis.order == ()
    assert len(diagnosis.fine) > 30


@pytest.mark.parametrize("id", FAULTS)
def test_the_fault_is_named_first(id):
    diagnosis = diagnose(replace(FINE, **FAULTS[id]).run())
    assert diagnosis.order[:1] == (id,)
