"""Training that goes on getting better while validation gets worse."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, g, held_out, pc

ROSE = 1.3  # times its lowest: validation losses waver by a few percent, and rise a little where nets are sure
FELL = 0.5  # of that lowest validation loss: what training has reached meanwhile
AFTER = 2  # epochs behind the lowest one
GAP = 0.13  # between the rates of training and validation, less a standard error: small sets have a tenth by nature
WIDE = 0.25  # the same where nothing but the gap speaks
LATE = 5  # epochs at the end whose middle counts
KNOWN = 0.9  # of the training samples right

CAUSE = Cause(
    "overfitting",
    title="The network overfits",
    explanation="It has come to know the training samples themselves. Training goes on improving while validation "
    "gets worse: what is learned now holds for these samples only.",
    remedy="More data or augmentation; a smaller network, weight decay, dropout; or stop at the best validation epoch.",
    lesson="docs/doctor.md#overfitting",
)


@CAUSE.check
def turned(history: History) -> Found | None:
    """The validation loss has passed its lowest point and rises while the training loss falls; the rates part."""
    train = dict(history.measured("train"))
    known(train or None, "the training loss by epoch")
    asked = 0
    for name, told in held_out(history):
        both = [(e, m.loss, train[e].loss) for e, m in told if m.loss is not None and e in train]
        losses = [(e, v, t) for e, v, t in both if t is not None]
        if len(losses) < AFTER + 1:
            continue
        asked += 1
        epoch, low, then = min(losses, key=lambda one: one[1])
        end = losses[-1][0]
        _, high, now = np.median(losses[-AFTER - 1 :], 0)
        pairs = [(a, b) for e, m in told[-AFTER - 1 :] if e in train
                 and (a := accuracy(train[e])) is not None and (b := accuracy(m)) is not None]  # fmt: skip
        rates = np.median(pairs, 0) if pairs else None
        gap = rates[0] - rates[1] - _error(rates[1], told[-1][1].total) if rates is not None else None
        passed = sum(e > epoch for e, *_ in losses) >= AFTER
        if not (passed and high > ROSE * low and now < then and now < FELL * low):
            continue
        if gap is None or rates is None:
            return Found(0.6, _curve(name, epoch, low, end, high, then, now))
        if gap < GAP or rates[0] < KNOWN:
            continue
        parted = Evidence(f"{pc(rates[0])} right in training, {pc(rates[1])} on {name}", f"epoch {end}")
        return Found(min(0.85, 0.6 + 0.5 * (gap - GAP)), _curve(name, epoch, low, end, high, then, now), parted)
    if not asked:
        raise NotKnownError(f"the validation loss of {AFTER + 1} epochs or more")
    return None


@CAUSE.check
def wide_gap(history: History) -> Found | None:
    """Training is far ahead, in rate and in loss, in the middle of the last epochs, whatever way it came there."""
    train = dict(history.measured("train"))
    asked = 0
    for name, told in held_out(history):
        late = [(train[e], m) for e, m in told if e in train][-LATE:]
        pairs = [(a, b) for x, y in late if (a := accuracy(x)) is not None and (b := accuracy(y)) is not None]
        losses = [(x.loss, y.loss) for x, y in late if x.loss is not None and y.loss is not None]
        if len(pairs) < LATE or len(losses) < LATE:
            continue
        asked += 1
        (ours, theirs), (low, high) = np.median(pairs, 0), np.median(losses, 0)
        if ours < KNOWN or ours - theirs < WIDE or low > FELL * high:
            continue
        rates = f"{pc(ours)} right in training, {pc(theirs)} on {name}; the losses are {g(low)} and {g(high)}"
        return Found(0.65, Evidence(rates, f"the last {LATE} epochs"))
    if not asked:
        raise NotKnownError(f"rates and losses of {LATE} epochs")
    return None


def _error(rate: float, total: int | None) -> float:
    """The standard error of a rate, where the samples are known."""
    return math.sqrt(rate * (1 - rate) / total) if total else 0.0


def _curve(name: str, epoch: int, low: float, end: int, high: float, then: float, now: float) -> Evidence:
    text = f"the {name} loss rises from {g(low)} (epoch {epoch}) to {g(high)}, "
    text += f"that of training falls from {g(then)} to {g(now)}"
    return Evidence(text, f"epoch {end}")
