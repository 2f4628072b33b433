"""Faults of the loss and of the step: signs, scales, learning rates, momentum, decay, what is not zeroed or not moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from _doctor_base import Wants
from _doctor_data import BENT, PICTURES, Array, Rng
from _doctor_rules import fault, slower, worse
from _doctor_setup import Setup, log_uniform, map_layers, weights

from scratchnet import SGD, Network, SoftmaxCrossEntropy
from scratchnet.layers import Dropout, Softmax
from scratchnet.optim import Adam, AdamW, RMSprop

FIRST_ORDER = Wants(optimizers=("sgd", "momentum"))  # a factor on the gradient changes nothing for the others
TOO_HIGH = ("late-divergence", "dead-relu", "non-finite", "loss-spike")


@fault("lr-too-high", worse, second=TOO_HIGH)
def learning_rate_up(s: Setup, rng: Rng) -> str:
    """By a factor."""
    factor = log_uniform(rng, 15, 1000)
    s.with_lr(factor)
    return f"x {factor:.0f}"


@fault("lr-too-high", worse, FIRST_ORDER, second=TOO_HIGH)
def learning_rate_somewhat_up(s: Setup, rng: Rng) -> str:
    """By as little as does harm."""
    factor = log_uniform(rng, 4, 30)
    s.with_lr(factor)
    return f"x {factor:.0f}"


@fault("lr-too-low", worse, second=("underfitting", "plateau"))
def learning_rate_down(s: Setup, rng: Rng) -> str:
    """By a factor."""
    factor = log_uniform(rng, 30, 10000)
    s.with_lr(1 / factor)
    return f"/ {factor:.0f}"


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


@fault("wrong-sign", worse, Wants(optimizers=("sgd", "momentum"), norms=("",)), second=(*TOO_HIGH, "exploding-gradients"))
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


@fault("not-zeroed", worse, FIRST_ORDER, second=(*TOO_HIGH, "lr-too-high"))
def never_zeroed(s: Setup, rng: Rng) -> None:
    """zero_grad was forgotten."""
    s.zeroes = lambda step: step == 0


@fault("not-zeroed", worse, second=(*TOO_HIGH, "lr-too-high"))
def zeroed_once_an_epoch(s: Setup, rng: Rng) -> None:
    """zero_grad stands one line too far out."""
    s.zeroes = lambda step: step % s.per_epoch == 0


NARROW = Wants(nets=("mlp", "cnn", "deep"), tasks=(*PICTURES, *BENT))


def all_but_the_head(net: Network) -> list[str]:
    """Parameters of every layer but the last."""
    last = weights(net)[-1].rsplit(".", 1)[0] + "."
    return [name for name in net.parameters.views if not name.startswith(last)]


@fault("frozen-parameters", slower, NARROW, second=("underfitting", "plateau"))
def frozen_from_an_earlier_use(s: Setup, rng: Rng) -> None:
    """All layers but the last are still marked as frozen."""
    s.at_start.append(lambda net: [net.parameters.freeze(name) for name in all_but_the_head(net)] and None)


@fault("frozen-parameters", slower, NARROW, second=("underfitting", "plateau"))
def detached(s: Setup, rng: Rng) -> None:
    """No gradient reaches what lies before the last layer."""

    def cut(step: int, net: Network) -> float:
        for name in all_but_the_head(net):
            net.gradients.views[name][...] = 0
        return 0.0

    s.optimizer = replace(s.optimizer, weight_decay=0.0) if hasattr(s.optimizer, "weight_decay") else s.optimizer
    s.on_gradient.append(cut)


@fault("frozen-parameters", slower, NARROW, second=("underfitting", "plateau"))
def not_given_to_the_optimizer(s: Setup, rng: Rng) -> str:
    """The optimizer has a list of its own, in which some layers are missing; at times all of them are."""
    every = rng.random() < 0.4

    def before(net: Network) -> Any:
        names = list(net.parameters.views) if every else all_but_the_head(net)
        return {name: net.parameters.views[name].copy() for name in names}

    def after(net: Network, kept: dict[str, Array]) -> None:
        for name, value in kept.items():
            net.parameters.views[name][...] = value
        net.parameters.version += 1

    s.before_step, s.after_step = before, after
    return "all" if every else "all but the last"


@fault("momentum-diverges", worse, Wants(optimizers=("momentum",)), second=(*TOO_HIGH, "lr-too-high"))
def momentum_near_one(s: Setup, rng: Rng) -> str:
    """The velocity forgets nothing."""
    momentum = float(1 - log_uniform(rng, 2e-4, 8e-3))
    s.optimizer = SGD(s.optimizer.lr, momentum=momentum)
    return f"{momentum:.4f}"


@fault("momentum-diverges", worse, Wants(optimizers=("adam", "rmsprop")), second=(*TOO_HIGH, "lr-too-high"))
def moments_out_of_step(s: Setup, rng: Rng) -> str:
    """The mean remembers longer than the mean square; or RMSprop with a momentum near one."""
    lr = s.optimizer.lr
    if isinstance(s.optimizer, RMSprop):
        s.optimizer = RMSprop(lr, momentum=float(1 - log_uniform(rng, 1e-3, 1e-2)))
    else:
        s.optimizer = Adam(lr, beta1=float(1 - log_uniform(rng, 1e-3, 1e-2)), beta2=float(rng.uniform(0.3, 0.9)))
    return repr(s.optimizer)


@fault("regularisation-too-strong", worse, Wants(optimizers=("sgd", "momentum"), norms=("",)), second=("underfitting", "plateau"))
def decay_too_strong(s: Setup, rng: Rng) -> str:
    """Weight decay pulls harder than the data."""
    decay = log_uniform(rng, 0.03, 1.0)
    s.optimizer = replace(s.optimizer, weight_decay=decay)  # type: ignore[call-arg]
    return f"{decay:.2f}"


@fault("regularisation-too-strong", worse, Wants(optimizers=("adamw",), norms=("",)), second=("underfitting", "plateau"))
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


@fault("regularisation-too-strong", worse, Wants(nets=("mlp", "deep"), dropouts=(0.1, 0.25, 0.4)), second=("underfitting",))
def dropout_too_strong(s: Setup, rng: Rng) -> str:
    """Hardly a unit is left."""
    rate = float(rng.uniform(0.85, 0.97))
    s.layers = map_layers(s.layers, lambda x: Dropout(rate) if isinstance(x, Dropout) else x)
    return f"{rate:.2f}"

