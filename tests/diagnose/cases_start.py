"""Initialisation, architecture, and gradients at the beginning."""

import math
from dataclasses import replace

from .cases import not_there, there
from .runs import NOTHING, layer, learns, run, stuck, weight

DEEP = ((64, 784), (64, 64), (64, 64), (64, 64), (10, 64))


def two(step, first=None, second=None):
    """Parameters of the MLP; `first`, `second`: changes of its weights."""
    return {"parameters": {"0.W": weight((128, 784), step, **(first or {})),
                           "2.W": weight((10, 128), step, **(second or {}))}}  # fmt: skip


def deep(activation, factor, **changes):
    """Layers of a net of five weights in which the gradient at each is `factor` times that of the one behind it."""
    layers = []
    for i in range(5):
        size = 0.5 * factor ** (4 - i)
        layers.append(layer(str(2 * i), "Dense(64)", units=64, gradient=size))
        if i < 4:
            layers.append(layer(str(2 * i + 1), activation, units=64, gradient=size, **changes))
    return tuple(layers)


@there("initial-loss")
def biased_head():
    return run(lambda s: learns(s) + 12 * math.exp(-s / 20), change=lambda step, loss: {"outputs": {"std": 6.0}})


@not_there("initial-loss")
def wide_logits():
    """He's initialisation of the last layer on standardised inputs."""
    return run(lambda s: learns(s) + 1.4 * math.exp(-s / 10))


@there("wrong-fan")
def fan_out_in_the_head():
    """Case 3: √(2/10) for √(2/512)."""

    def change(step, loss):
        return {"parameters": {"0.W": weight((512, 784), step), "2.W": weight((10, 512), step, std=0.447)}}

    return run(lambda s: 2.3 + 10 * math.exp(-s / 60), change=change, rates=(0.2, 0.3, 0.35))


@not_there("wrong-fan")
def glorot():
    return run(change=lambda step, loss: two(step, {"std": math.sqrt(2 / 912)}, {"std": math.sqrt(2 / 138)}))


@there("huge-init")
def far_too_large():
    return run(lambda s: 3.0 + 30 * math.exp(-s / 60), change=lambda step, loss: two(step, {"std": 1.0}, {"std": 1.0}))


@not_there("huge-init")
def orthogonal():
    return run(change=lambda step, loss: two(step, {"std": 1 / 28}, {"std": 1 / math.sqrt(128)}))


@there("zero-init")
def all_zero():
    zero = {"std": 0.0, "weight": 0.0, "update": 0.0, "gradient": 0.0, "alike": 1.0}
    return run(stuck, noise=0.001, change=lambda step, loss: two(step, zero, zero), rates=(0.1, 0.11, 0.11),
               of_val=[(2.303, 0.1), (2.3027, 0.1), (2.3026, 0.1)])  # fmt: skip


@not_there("zero-init")
def zero_head():
    """Only the last layer begins at zero: it moves at once."""
    return run(change=lambda step, loss: two(step, None, {"std": 0.0, "weight": 0.0} if step == 1 else None))


@there("symmetric-init")
def constant():
    return run(lambda s: 2.2, change=lambda step, loss: two(step, {"alike": 1.0, "std": 0.0, "weight": 16.0}),
               rates=(0.2, 0.2, 0.2), of_val=[(2.2, 0.2), (2.21, 0.2), (2.2, 0.2)])  # fmt: skip


@not_there("symmetric-init")
def equal_head():
    return run(change=lambda step, loss: two(step, None, {"alike": 1.0} if step == 1 else None))


def relu(never, dead):
    return (layer("0", "Dense(128)", units=128), layer("1", "ReLU()", units=128, never=never, dead=dead, zero=dead),
            layer("2", "Dense(10)", units=10))  # fmt: skip


@there("dead-relu")
def large_negative_bias():
    return run(lambda s: 2.29, change=lambda step, loss: {"layers": relu(0.96, 0.96)}, rates=(0.12, 0.12, 0.12),
               of_val=[(2.3, 0.12), (2.29, 0.12), (2.295, 0.12)])  # fmt: skip


@not_there("dead-relu")
def sparse_but_alive():
    return run(change=lambda step, loss: {"layers": relu(0.3 if step > 1 else 0.6, 0.6)})


@there("saturated-units")
def at_the_bounds():
    layers = (layer("0", "Dense(128)"), layer("1", "Tanh()", units=128, saturated=0.93), layer("2", "Dense(10)"))
    return run(lambda s: 2.1, change=lambda step, loss: {"layers": layers}, rates=(0.2, 0.22, 0.22),
               of_val=[(2.2, 0.2), (2.21, 0.2), (2.22, 0.2)])  # fmt: skip


@not_there("saturated-units")
def sure_at_the_end():
    def change(step, loss):
        tanh = layer("1", "Tanh()", units=128, saturated=min(0.35, step / 1000))
        return {"layers": (layer("0", "Dense(128)"), tanh, layer("2", "Dense(10)"))}

    return run(change=change)


def _five(step, **changes):
    return {f"{2 * i}.W": weight(shape, step, **changes) for i, shape in enumerate(DEEP)}


@there("exploding-gradients")
def grows_back():
    return run(lambda s: 2.3 + 5 * (s < 100), rates=(0.1, 0.1, 0.1), of_val=[(2.4, 0.1), (2.31, 0.1), (2.32, 0.1)],
               change=lambda s, loss: {"layers": deep("ReLU()", 6.0), "parameters": _five(s, moved=0.2)})  # fmt: skip


@not_there("exploding-gradients")
def grows_a_little():
    return run(change=lambda s, loss: {"layers": deep("ReLU()", 1.4), "parameters": _five(s)})


@there("vanishing-gradients")
def fades_back():
    return run(lambda s: 2.302, noise=0.001, rates=(0.11, 0.11, 0.11), of_val=[(2.31, 0.1), (2.302, 0.1), (2.303, 0.1)],
               change=lambda s, loss: {"layers": deep("Sigmoid()", 0.12), "parameters": _five(s)})  # fmt: skip


@not_there("vanishing-gradients")
def fades_a_little():
    return run(change=lambda s, loss: {"layers": deep("Tanh()", 0.6), "parameters": _five(s)})


@there("double-softmax")
def softmax_at_the_end():
    def change(step, loss):
        layers = (layer("0", "Dense(128)", units=128), layer("1", "ReLU()", units=128, never=0.0),
                  layer("2", "Dense(10)", units=10), layer("3", "Softmax()", units=10))  # fmt: skip
        return {"layers": layers, "outputs": {"normalised": True, "entropy": 2.27}}

    return run(lambda s: 1.6 + 0.7 * math.exp(-s / 200), change=change)


@not_there("double-softmax")
def normalised_once_by_chance():
    return run(change=lambda step, loss: {"outputs": {"normalised": step == 1}})


@there("missing-nonlinearity")
def three_dense():
    layers = (layer("0", "Dense(128)", units=128), layer("1", "Dense(64)", units=64), layer("2", "Dense(10)", units=10))
    return run(lambda s: 1.2 + 1.1 * math.exp(-s / 80), change=lambda step, loss: {"layers": layers},
               rates=(0.6, 0.65, 0.65), of_val=[(1.3, 0.6), (1.25, 0.65), (1.24, 0.65)])  # fmt: skip


@not_there("missing-nonlinearity")
def pooling_between():
    layers = (layer("0", "Conv2d(8, 3)"), layer("1", "MaxPool2d(2)"), layer("2", "Conv2d(16, 3)"), layer("3", "ReLU()"),
              layer("4", "Flatten()"), layer("5", "Dense(10)"))  # fmt: skip
    return run(change=lambda step, loss: {"layers": layers})


@there("frozen-parameters")
def not_in_the_optimizer():
    return run(lambda s: 0.9 + 1.4 * math.exp(-s / 80), change=lambda step, loss: two(step, {"update": 0.0}))


@not_there("frozen-parameters")
def starts_at_rate_zero():
    return run(change=lambda step, loss: two(step, {"update": 0.0}, {"update": 0.0}) if step == 1 else {})


@there("regularisation-too-strong")
def decays():
    def change(step, loss):
        shrunk = [
            replace(weight(s, 0), weight=weight(s, 0).weight * math.exp(-step / 60)) for s in ((128, 784), (10, 128))
        ]
        return {"parameters": dict(zip(("0.W", "2.W"), shrunk, strict=True)), "outputs": {"entropy": NOTHING}}

    return run(lambda s: 2.302, noise=0.001, change=change, rates=(0.12, 0.1, 0.1),
               of_val=[(2.3, 0.1), (2.302, 0.1), (2.3025, 0.1)],
               config={"optimizer": "SGD(lr=0.1, momentum=0.9, weight_decay=0.3)"})  # fmt: skip


@there("regularisation-too-strong")
def drops_nearly_all():
    layers = (layer("0", "Dense(128)", units=128), layer("1", "ReLU()", units=128, never=0.0),
              layer("2", "Dropout(0.95)"), layer("3", "Dense(10)", units=10))  # fmt: skip
    return run(lambda s: 1.9, change=lambda step, loss: {"layers": layers}, rates=(0.3, 0.3, 0.3))


@not_there("regularisation-too-strong")
def usual_decay():
    return run(config={"optimizer": "AdamW(lr=0.001, weight_decay=0.1)"})
