"""Next to the edge of rules on weights and units: alarming looks of a network that learned, and causes that hide."""

import math

from .cases import not_there, there
from .cases_start import deep, two
from .runs import KNOWN, POOR, bias, layer, learns, mlp_layers, run


def begun_elsewhere(step, std):
    """The MLP with a last weight of that spread and biases that training has moved."""
    moved = {"0.b": bias(128, std=0.1), "2.b": bias(10, std=0.2)}
    return {"parameters": two(step, None, {"std": std})["parameters"] | moved}


@not_there("wrong-fan")
def trained_before():
    return run(change=lambda step, loss: begun_elsewhere(step, math.sqrt(2 / 10)))


@not_there("huge-init")
def trained_before_and_large():
    return run(change=lambda step, loss: begun_elsewhere(step, 0.7))


@not_there("huge-init")
def knows_already():
    """No bias tells, but the first loss does."""
    return run(lambda s: 0.3 * learns(s), change=lambda step, loss: two(step, None, {"std": 0.7}))


@there("symmetric-init")
def a_small_constant():
    """All weights 0.0005: next to zero, but what keeps the units equal is that they are."""
    return run(lambda s: 2.0, change=lambda step, loss: two(step, {"std": 5e-4, "alike": 1.0}), **POOR)


@there("initial-loss")
def one_bias_among_two_classes():
    def change(step, loss):
        return {"parameters": two(step)["parameters"] | {"2.b": bias(10, weight=15.0, std=4.7)}}

    return run(lambda s: learns(s) + 1.6 * math.exp(-s / 20), change=change)


@not_there("initial-loss")
def biases_moved_a_little():
    def change(step, loss):
        return {"parameters": two(step)["parameters"] | {"2.b": bias(10, weight=3.8, std=1.2)}}

    return run(lambda s: learns(s) + 1.6 * math.exp(-s / 20), change=change)


@not_there("initial-loss")
def nine_nats_behind_dropout():
    """Half of the inputs gone and the others twice as large: a first loss of that height is seen off in a few steps."""
    return run(lambda s: learns(s) + 9 * math.exp(-s / 20), change=lambda step, loss: {"outputs": {"std": 6.0}})


def silent(step):
    """A ReLU layer of which all units answer to some batch, and 5 % to any one."""
    return (*mlp_layers(1)[:1], layer("1", "ReLU()", units=128, dead=0.02 if step == 1 else 0.95, never=0.01),
            *mlp_layers(1)[2:])  # fmt: skip


@there("dead-relu")
def falls_silent():
    return run(lambda s: 1.7 + 0.6 * math.exp(-s / 60), change=lambda step, loss: {"layers": silent(step)}, **POOR)


@not_there("dead-relu")
def sparse_in_small_batches():
    return run(change=lambda step, loss: {"layers": silent(step)}, **KNOWN)


@not_there("dead-relu", healthy=False)
def one_of_two_units():
    layers = (
        layer("0", "Dense(2)", units=2),
        layer("1", "ReLU()", units=2, never=0.5),
        layer("2", "Dense(10)", units=10),
    )
    return run(lambda s: 1.7 + 0.6 * math.exp(-s / 60), change=lambda step, loss: {"layers": layers}, **POOR)


@not_there("saturated-units")
def sure_in_the_end():
    """Dropout keeps the training accuracy low; validation tells that the network knows."""
    tanh = (*mlp_layers(1)[:1], layer("1", "Tanh()", units=128, saturated=0.85), *mlp_layers(1)[2:])
    return run(change=lambda step, loss: {"layers": tanh}, rates=(0.6, 0.7, 0.72),
               of_val=[(0.4, 0.9), (0.3, 0.93), (0.2, 0.94)])  # fmt: skip


@not_there("vanishing-gradients")
def faint_but_learned():
    layers = deep("ReLU()", 0.1)
    return run(change=lambda step, loss: {"layers": layers}, **KNOWN)


@not_there("underfitting")
def behind_dropout():
    return run(lambda s: max(learns(s), 0.8), rates=(0.6, 0.62, 0.62), of_val=[(0.5, 0.9), (0.4, 0.92), (0.4, 0.93)])


@there("underfitting")
def two_units_that_creep_on():
    """Not done yet, with steps of usual length: it is not the rate that is too low."""
    layers = layer("0", "Dense(2)", units=2), layer("1", "SiLU()", units=2), layer("2", "Dense(10)", units=10)
    return run(lambda s: 2.2 - s / 1500, noise=0.01, change=lambda step, loss: {"layers": layers}, **POOR)


@not_there("regularisation-too-strong", healthy=False)
def shrinks_for_want_of_use():
    """Σ lr · decay is 4: weights that are of no use shrink under it, and no others."""
    return run(lambda s: 2.2 + 0.1 * math.exp(-s / 60), config={"optimizer": "AdamW(lr=0.1, weight_decay=0.07)"},
               change=lambda step, loss: two(step, *[{"weight": 10 * math.exp(-step / 300)}] * 2), **POOR)  # fmt: skip
