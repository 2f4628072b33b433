"""Faults of the step: learning rates, momentum, what is not zeroed or not moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from _doctor_base import Wants
from _doctor_data import BENT, PICTURES, Array, Rng
from _doctor_rules import TOO_HIGH, fault, slower, worse
from _doctor_setup import Setup, log_uniform, weights

from scratchnet import SGD, Network
from scratchnet.optim import Adam, RMSprop

FIRST_ORDER = Wants(optimizers=("sgd", "momentum"))


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
