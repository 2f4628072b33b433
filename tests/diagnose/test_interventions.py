"""One thing is changed, the right one, and nothing where there is nothing to change."""

from dataclasses import replace

import numpy as np
import pytest

from scratchnet.core.initializers import Constant, HeNormal
from scratchnet.core.sequential import Sequential
from scratchnet.data import Split
from scratchnet.diagnose import registry
from scratchnet.diagnose.interventions import GUESSES, INTERVENTIONS, changes
from scratchnet.diagnose.rewriting import activated, rewritten
from scratchnet.layers import Dense, Dropout, Flatten, ReLU, Residual, Sigmoid, Softmax, Tanh
from scratchnet.optim import SGD, Adam
from scratchnet.optim import Constant as ConstantRate
from scratchnet.train import Recipe

BYTES = Split("train", np.arange(80, dtype=np.uint8).reshape(20, 2, 2) * 3, np.arange(20) % 2)
FINE = Recipe(layers=(Flatten(), Dense(4), ReLU(), Dense(2)), train=BYTES, optimizer=SGD(0.1), batch_size=4)
CLOSE = Dense(4, init=Constant(1.0))


def vectors(low, high):
    x = np.linspace(low, high, 40).reshape(20, 2)
    return Split("train", x, np.arange(20) % 2)


FAULTS = [
    ("inputs-unscaled", {"scale": 1.0}, {"scale"}, ["inputs / 255 at the same LR"]),
    ("inputs-unscaled", {"train": vectors(0, 1e4), "scale": 1.0}, {"scale"},
     ["inputs scaled to [0, 1] at the same LR"]),
    ("inputs-unscaled", {"train": vectors(-50, 90), "scale": 1.0}, {"scale", "shift"},
     ["inputs standardised at the same LR"]),
    ("lr-too-high", {}, {"optimizer"}, ["LR / 10", "LR / 100", "LR / 1000"]),
    ("lr-too-high", {"schedule": ConstantRate(0.1)}, {"optimizer", "schedule"}, ["LR / 10", "LR / 100", "LR / 1000"]),
    ("lr-too-low", {}, {"optimizer"}, ["LR x 10", "LR x 100"]),
    *((id, {"layers": (Flatten(), CLOSE, ReLU(), Dense(2))}, {"layers"}, ["weights drawn by He's rule"])
      for id in ("zero-init", "huge-init", "wrong-fan", "symmetric-init", "initial-loss", "exploding-gradients")),
    ("frozen-parameters", {"frozen": ("1",)}, {"frozen"}, ["nothing frozen"]),
    ("double-softmax", {"layers": (Flatten(), Dense(2), Softmax())}, {"layers"}, ["without the Softmax layer"]),
    ("missing-nonlinearity", {"layers": (Flatten(), Dense(4), Dense(2))}, {"layers"},
     ["a ReLU between the linear layers"]),
    ("saturated-units", {"layers": (Flatten(), Dense(4), Tanh(), Dense(2))}, {"layers"}, ["ReLU for sigmoid and tanh"]),
    ("regularisation-too-strong", {"optimizer": SGD(0.1, weight_decay=1.0)}, {"optimizer"}, ["without weight decay"]),
    ("regularisation-too-strong", {"layers": (Flatten(), Dropout(0.99), Dense(2))}, {"layers"}, ["without dropout"]),
    ("momentum-diverges", {"optimizer": SGD(0.1, momentum=0.99, nesterov=True)}, {"optimizer"}, ["without momentum"]),
    ("momentum-diverges", {"optimizer": Adam(0.1, beta1=0.5, beta2=0.6)}, {"optimizer"}, ["beta1 0.9, beta2 0.999"]),
    ("data-order", {"shuffle": False}, {"shuffle"}, ["shuffled anew each epoch"]),
    ("zero-batches", {"batch_size": 50, "drop_last": True}, {"drop_last"}, ["the last batch kept"]),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "fault", "differs", "texts"), FAULTS)
def test_one_thing_is_changed(cause, fault, differs, texts):
    recipe = replace(FINE, **fault)
    made = changes(cause, recipe)
    assert [change.text for change in made] == texts
    for change in made:
        before, after = vars(recipe), vars(change.recipe)
        assert {name for name in before if before[name] is not after[name] and before[name] != after[name]} == differs


@pytest.mark.parametrize("cause", sorted(set(INTERVENTIONS) - {"lr-too-high", "lr-too-low"}))
def test_nothing_is_changed_where_there_is_nothing_to_change(cause):
    assert changes(cause, FINE) == []


def test_every_cause_of_a_cure_is_one():
    assert set(INTERVENTIONS) | set(GUESSES) <= set(registry())
    assert "dead-relu" not in INTERVENTIONS  # a consequence


def test_values_end_where_they_should():
    for low, high, least, most in ((0, 1e4, 0, 1), (-50, 90, -2, 2)):
        train = vectors(low, high)
        (change,) = changes("inputs-unscaled", replace(FINE, train=train, layers=(Dense(2),), scale=1.0))
        x = train.x * change.recipe.scale + change.recipe.shift
        assert least <= x.min() < x.max() <= most + 1e-9
        assert low == 0 or abs(x.mean()) < 1e-9


def test_a_scale_of_the_evaluation_goes_too():
    recipe = replace(FINE, scale=1.0, evaluation={"scale": 1.0, "drop_last": False})
    assert changes("inputs-unscaled", recipe)[0].recipe.evaluation == {"drop_last": False}


def test_rates_follow_the_schedule():
    recipe = replace(FINE, schedule=ConstantRate(0.5))
    assert [change.recipe.schedule(7) for change in changes("lr-too-low", recipe)] == pytest.approx([5, 50])
    assert [change.recipe.optimizer.lr for change in changes("lr-too-low", recipe)] == pytest.approx([1, 10])


def test_layers_within_layers_are_rewritten():
    def he(layer):
        return replace(layer, init=HeNormal()) if isinstance(layer, Dense) else layer

    deep = Sequential(Residual(Sequential(CLOSE, Tanh()), CLOSE), ReLU())
    assert rewritten(deep, he) == Sequential(Residual(Sequential(Dense(4), Tanh()), Dense(4)), ReLU())


def test_relu_goes_between_what_is_linear_and_nowhere_else():
    a, b, c = Dense(3), Dense(4), Dense(5)
    assert activated((a, b, Dropout(0.1), c)) == (a, ReLU(), b, ReLU(), Dropout(0.1), c)
    assert activated((a, Sigmoid(), b)) == (a, Sigmoid(), b)
    assert activated((Flatten(), a)) == (Flatten(), a)
