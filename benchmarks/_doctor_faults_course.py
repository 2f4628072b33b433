"""Faults of the course of a run: capacity, plateaus, spikes, a turn for the worse, numbers that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from _doctor_base import Wants
from _doctor_data import BENT, PICTURES, Array, Rng
from _doctor_rules import fault, leaps, not_finite, overfits, stands_still, turns, underfits
from _doctor_setup import Setup, log_uniform, weights

from scratchnet import Network
from scratchnet.core import HeNormal
from scratchnet.layers import Dense

PLAIN = Wants(norms=("", "", "other"))


@fault("overfitting", overfits, Wants(tasks=PICTURES, dropouts=(0.0,), widths=(64, 100, 128)), log=True)
def few_samples_many_epochs(s: Setup, rng: Rng) -> str:
    """A network that learns a handful of samples by heart."""
    n = int(log_uniform(rng, 60, 250))
    s.task.change("train", x=s.task.train.x[:n], y=s.task.train.y[:n])
    s.batch_size = min(s.batch_size, max(8, n // 4))
    s.epochs = round(rng.uniform(1500, 2500) / s.per_epoch)
    return f"{n} samples, {s.epochs} epochs"


@fault("underfitting", underfits, Wants(nets=("mlp",), min_classes=3, dropouts=(0.0,), norms=("",)), log=True,
       second=("plateau", "dead-relu"))  # fmt: skip
def too_narrow(s: Setup, rng: Rng) -> str:
    """A hidden layer of one or two units."""
    width, head = int(rng.choice((1, 2))), s.layers[-1]
    flat = s.layers[:1] if s.task.pictures else []
    act = next(x for x in s.layers if type(x).__name__ == s.activation)
    s.layers = [*flat, Dense(width, init=HeNormal()), act, head]
    return f"{width} units"


@fault("underfitting", underfits, Wants(tasks=BENT, nets=("mlp",), norms=("",)), log=True,
       second=("plateau", "missing-nonlinearity"))  # fmt: skip
def no_hidden_layer(s: Setup, rng: Rng) -> None:
    """A straight line for classes that none parts."""
    s.layers = s.layers[-1:]


@fault("plateau", stands_still, Wants(steps=(400, 900)), second=("lr-too-low", "underfitting"))
def falls_too_early(s: Setup, rng: Rng) -> str:
    """The learning rate is divided by ten again and again, and has gone before much is learned."""
    every, lr = max(2, round(s.steps * rng.uniform(0.02, 0.07))), s.optimizer.lr
    s.schedule = lambda step: lr * 0.1 ** (step // every)
    return f"/ 10 every {every} steps"


@fault("plateau", stands_still, Wants(steps=(400, 900)), second=("lr-too-low", "underfitting"))
def falls_without_patience(s: Setup, rng: Rng) -> str:
    """Every batch that is no new best divides the learning rate."""
    by, state = float(rng.choice((0.8, 0.9, 0.95))), {"best": np.inf, "factor": 1.0}

    def factor(step: int, losses: list[float]) -> float:
        if losses:
            if losses[-1] >= state["best"]:
                state["factor"] *= by
            state["best"] = min(state["best"], losses[-1])
        return state["factor"]

    s.lr_factor = factor
    return f"x {by}"


@fault("loss-spike", leaps, replace(PLAIN, steps=(500, 900)), second=("lr-too-high", "inputs-unscaled"))
def a_corrupt_batch(s: Setup, rng: Rng) -> str:
    """One batch, or a few, many times too large."""
    at = {int(s.steps * part) for part in rng.uniform(0.3, 0.75, int(rng.integers(1, 4)))}
    factor = log_uniform(rng, 30, 1000)
    s.on_batch.append(lambda step, x, y: (x * np.asarray(factor, x.dtype) if step in at else x, y))
    return f"x {factor:.0f} at {sorted(at)}"


@fault("loss-spike", leaps, replace(PLAIN, steps=(500, 900)), second=("lr-too-high",))
def a_slip_of_the_schedule(s: Setup, rng: Rng) -> str:
    """The learning rate is a hundred times as high for one step."""
    at, factor, lr = int(s.steps * rng.uniform(0.3, 0.7)), log_uniform(rng, 20, 300), s.optimizer.lr
    s.schedule = lambda step: lr * (factor if step == at else 1.0)
    return f"x {factor:.0f} at {at}"


@fault("late-divergence", turns, replace(PLAIN, steps=(500, 900)), log=True, second=("lr-too-high", "loss-spike"))
def learning_rate_jumps(s: Setup, rng: Rng) -> str:
    """A schedule that goes up when it was to go down."""
    at, factor, lr = int(s.steps * rng.uniform(0.5, 0.8)), log_uniform(rng, 20, 1000), s.optimizer.lr
    s.schedule = lambda step: lr * (factor if step >= at else 1.0)
    return f"x {factor:.0f} from {at}"


@fault("late-divergence", turns, replace(PLAIN, steps=(500, 900)), log=True, second=("lr-too-high", "loss-spike"))
def learning_rate_grows(s: Setup, rng: Rng) -> str:
    """A warm-up without an end."""
    factor, lr = log_uniform(rng, 300, 1e5), s.optimizer.lr
    s.schedule = lambda step: float(lr * factor ** max(0.0, 2 * step / s.steps - 1))
    return f"x {factor:.0f} at the end"


@fault(
    "late-divergence",
    turns,
    replace(PLAIN, steps=(500, 900)),
    log=True,
    second=("wrong-scale", "regularisation-too-strong"),
)
def a_term_switched_on(s: Setup, rng: Rng) -> str:
    """A second term of the loss, β·½Σz² of the logits, sets in and outweighs the first."""
    at, beta = int(s.steps * rng.uniform(0.5, 0.75)), log_uniform(rng, 5, 100)

    def add(step: int, logits: Array, y: Array, value: float, d: Array) -> tuple[float, Array]:
        if step < at:
            return value, d
        z = np.array(logits)
        return value + 0.5 * beta * float((z * z).sum(1).mean()), d + np.asarray(beta / len(z), d.dtype) * z

    s.on_loss.append(add)
    return f"{beta:.0f} from {at}"


@fault("non-finite", not_finite, log=True)
def norm_of_a_zero_vector(s: Setup, rng: Rng) -> None:
    """A penalty ‖b‖ has the gradient b/‖b‖, which is 0/0 at the start."""

    def add(step: int, net: Network) -> float:
        name = weights(net)[-1].rsplit(".", 1)[0] + ".b"
        b = net.parameters.views[name]
        net.gradients.views[name][...] += b / np.sqrt((b * b).sum())
        return float(np.sqrt((b * b).sum()))

    s.on_gradient.append(add)


@fault("non-finite", not_finite, Wants(tasks=PICTURES), log=True)
def divided_by_no_deviation(s: Setup, rng: Rng) -> None:
    """Each batch is standardised by itself, and some pixels are the same in all of it."""
    s.on_batch.append(lambda step, x, y: ((x - x.mean(0)) / x.std(0), y))


@fault("non-finite", not_finite, log=True, second=("wrong-scale",))
def half_precision(s: Setup, rng: Rng) -> str:
    """Gradients times a loss scale, held in 16 bits: beyond 65504 they are infinite."""
    scale = float(2 ** rng.integers(15, 25))

    def through(step: int, net: Network) -> float:
        flat = net.gradients.flat
        flat[...] = (flat * scale).astype(np.float16).astype(flat.dtype) / scale
        return 0.0

    s.on_gradient.append(through)
    return f"scale {scale:.0f}"


@fault("non-finite", not_finite, replace(PLAIN, tasks=PICTURES), log=True)
def exponential_overflows(s: Setup, rng: Rng) -> str:
    """A softmax of one's own, at a temperature: exp overflows, and inf/inf follows."""
    sharp = log_uniform(rng, 15, 100)

    def naive(step: int, logits: Array, y: Array, value: float, d: Array) -> tuple[float, Array]:
        e = np.exp(logits * np.asarray(sharp, logits.dtype))
        q = e / e.sum(1, keepdims=True)
        said = float(-np.log(q[np.arange(len(y)), y]).mean())
        q[np.arange(len(y)), y] -= 1
        return said, q / np.asarray(len(y), d.dtype)

    s.on_loss.append(naive)
    return f"x {sharp:.0f}"


@fault("non-finite", not_finite, Wants(nets=("mlp", "cnn")), log=True)
def empty_weights(s: Setup, rng: Rng) -> str:
    """Classes are weighted by their share of the batch so far: a rare batch has a total of 0."""
    at = int(s.steps * rng.uniform(0.05, 0.6))

    def weigh(step: int, logits: Array, y: Array, value: float, d: Array) -> tuple[float, Array]:
        total = np.float64(len(y) if step != at else 0)
        return float(np.float64(value * total) / total), d * np.asarray(total / total, d.dtype)

    s.on_loss.append(weigh)
    return f"at step {at}"
