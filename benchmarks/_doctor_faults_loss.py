"""Faults of the loss: two softmaxes, signs, scales, penalties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from _doctor_base import Wants
from _doctor_data import Rng
from _doctor_rules import TOO_HIGH, fault, slower, worse
from _doctor_setup import Setup, log_uniform, map_layers, weights

from scratchnet import Network, SoftmaxCrossEntropy
from scratchnet.layers import Dropout, Softmax
from scratchnet.optim import AdamW

FIRST_ORDER = Wants(optimizers=("sgd", "momentum"))  # a factor on the gradient changes nothing for the others


@fault("double-softmax", slower, Wants(optimizers=("sgd", "momentum", "adam")), second=("plateau", "lr-too-low"))
def probabilities_for_logits(s: Setup, rng: Rng) -> None:
    """A Softmax at the network's end, and another one in the loss."""
    s.layers.append(Softmax())


@fault("wrong-sign", worse, second=TOO_HIGH)
def uphill(s: Setup, rng: Rng) -> None:
    """The gradient is added."""
    s.on_loss.append(lambda step, logits, y, value, d: (value, -d))


@fault("wrong-sign", worse, second=TOO_HIGH)
def negative_loss(s: Setup, rng: Rng) -> None:
    """The log-likelihood is minimised, which was to be maximised."""
    s.on_loss.append(lambda step, logits, y, value, d: (-value, -d))


def penalty(s: Setup, strength: float) -> None:
    """strength/2 · Σ W² of all weights, in loss and gradient."""

    def add(step: int, net: Network) -> float:
        said = 0.0
        for name in weights(net):
            w = net.parameters.views[name]
            net.gradients.views[name][...] += np.asarray(strength, w.dtype) * w
            said += 0.5 * strength * float((w.astype(np.float64) ** 2).sum())
        return said

    s.on_gradient.append(add)


@fault(
    "wrong-sign", worse, Wants(optimizers=("sgd", "momentum"), norms=("",)), second=(*TOO_HIGH, "exploding-gradients")
)
def penalty_that_rewards(s: Setup, rng: Rng) -> str:
    """Large weights lower the loss."""
    strength = log_uniform(rng, 0.03, 0.5)
    penalty(s, -strength)
    return f"{strength:.2f}"


@fault("wrong-scale", worse, FIRST_ORDER, second=("lr-too-high",))
def sum_for_mean(s: Setup, rng: Rng) -> None:
    """The loss is summed over the batch, the learning rate is one for a mean."""
    s.loss = SoftmaxCrossEntropy(reduction="sum")


@fault("wrong-scale", worse, FIRST_ORDER, second=("lr-too-low",))
def mean_taken_twice(s: Setup, rng: Rng) -> None:
    """Divided by the batch once more."""
    s.on_loss.append(lambda step, logits, y, value, d: (value / len(y), d / np.asarray(len(y), d.dtype)))


@fault("wrong-scale", worse, FIRST_ORDER, second=("lr-too-high",))
def scale_not_taken_back(s: Setup, rng: Rng) -> str:
    """The loss was multiplied for half precision, and its gradient never divided."""
    factor = float(rng.choice((64, 256, 1024, 65536)))
    s.on_loss.append(lambda step, logits, y, value, d: (value, d * np.asarray(factor, d.dtype)))
    return f"{factor:.0f}"


@fault(
    "regularisation-too-strong",
    worse,
    Wants(optimizers=("sgd", "momentum"), norms=("",)),
    second=("underfitting", "plateau"),
)
def decay_too_strong(s: Setup, rng: Rng) -> str:
    """Weight decay pulls harder than the data."""
    decay = log_uniform(rng, 0.03, 1.0)
    s.optimizer = replace(s.optimizer, weight_decay=decay)  # type: ignore[call-arg]
    return f"{decay:.2f}"


@fault(
    "regularisation-too-strong", worse, Wants(optimizers=("adamw",), norms=("",)), second=("underfitting", "plateau")
)
def decoupled_decay_too_strong(s: Setup, rng: Rng) -> str:
    """AdamW's."""
    decay = log_uniform(rng, 0.02, 0.3) / s.optimizer.lr
    s.optimizer = AdamW(s.optimizer.lr, weight_decay=decay)
    return f"{decay:.0f}"


@fault("regularisation-too-strong", worse, Wants(norms=("",)), second=("underfitting", "plateau", "wrong-scale"))
def penalty_too_strong(s: Setup, rng: Rng) -> str:
    """A penalty in the loss."""
    strength = log_uniform(rng, 0.03, 1.0)
    penalty(s, strength)
    return f"{strength:.2f}"


@fault(
    "regularisation-too-strong", worse, Wants(nets=("mlp", "deep"), dropouts=(0.1, 0.25, 0.4)), second=("underfitting",)
)
def dropout_too_strong(s: Setup, rng: Rng) -> str:
    """Hardly a unit is left."""
    rate = float(rng.uniform(0.85, 0.97))
    s.layers = map_layers(s.layers, lambda x: Dropout(rate) if isinstance(x, Dropout) else x)
    return f"{rate:.2f}"
