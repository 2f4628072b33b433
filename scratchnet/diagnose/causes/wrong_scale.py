"""A loss, gradient or regulariser of the wrong size."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import classes, g, is_cross_entropy, looks, unsettled, weights

FACTOR = 1.5  # that the loop's gradient or loss is off by, at the least; label smoothing and the like stay within it
STEADY = 0.1  # relative spread of that factor over the looks: a slip is the same at every step
SAME = 0.99  # cosine with the fresh gradient: only the length is wrong
MUCH = 0.4  # of ln C that the data's loss must have: below it, label smoothing and the like make up most of a loss
PENALTY = 2.0  # times the data's loss at the first step that a regulariser adds

CAUSE = Cause(
    "wrong-scale",
    title="The loss or a regulariser has the wrong scale",
    explanation="A sum where a mean is meant makes gradients N times as long, a mean taken twice N times as short; "
    "the right learning rate is then off by N, and changes with the batch size. A penalty that outweighs the data's "
    "loss trains the penalty.",
    remedy="Divide by the number of samples, once. Weigh a regulariser so that it begins far below the data's loss.",
    lesson="docs/doctor.md#wrong-scale",
    leads_to=(
        "lr-too-high",
        "lr-too-low",
        "momentum-diverges",
        "exploding-gradients",
        "dead-relu",
        "saturated-units",
        "non-finite",
        "loss-spike",
        "late-divergence",
        "initial-loss",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def gradient(history: History) -> Found | None:
    """The loop's gradient against one computed beside it: same direction, another length, at the first step already."""
    first = [p for p in weights(looks(history)[0]).values() if p.ratio is not None and p.cosine is not None]
    told = [(p.ratio, look, name) for look in unsettled(history) for name, p in weights(look).items()
            if p.ratio and p.cosine is not None and p.cosine > SAME]  # fmt: skip
    if not first:
        raise NotKnownError("a gradient computed beside the loop")
    begun = [p.ratio for p in first if p.ratio and p.cosine is not None and p.cosine > SAME]
    if not begun or len(told) < 2:
        return None
    ratio = float(np.median(begun))
    every = np.array([r for r, _, _ in told], float)
    if max(ratio, 1 / ratio) < FACTOR or np.median(np.abs(every / ratio - 1)) > STEADY:
        return None
    batch = looks(history)[0].batch
    hint = f", and a batch holds {batch}" if batch and max(ratio / batch, batch / ratio) < 1.05 else ""
    text = f"the gradient of {told[0][2]} is {g(ratio)} times one computed beside the loop, in the same direction{hint}"
    return Found(0.95, Evidence(text, f"{len({x.step for _, x, _ in told})} looks"))


@CAUSE.check
def loss(history: History) -> Found | None:
    """The loop's loss against the cross-entropy of its logits."""
    known(True if is_cross_entropy(history) else None, "the loss of the logits (the loop's is no cross-entropy)")
    pairs = [(look.loss, look.outputs.loss, look) for look in looks(history)
             if look.loss is not None and look.outputs and look.outputs.loss]  # fmt: skip
    pairs = [(a, b, look) for a, b, look in pairs if np.isfinite(a) and np.isfinite(b) and a > 0]
    pairs = [(a, b, look) for a, b, look in pairs if b > MUCH * math.log(max(classes(history), 2))]
    if len(pairs) < 2:
        raise NotKnownError("the loop's loss beside that of its logits")
    ratios = np.array([a / b for a, b, _ in pairs])
    ratio, (a, b, look) = float(np.median(ratios)), pairs[0]
    steady = float(np.median(np.abs(ratios / ratio - 1)))
    text = f"the loop's loss is {g(a)}, the cross-entropy of its logits {g(b)}"
    where = f"step {look.step}"
    if max(ratio, 1 / ratio) > FACTOR and steady < STEADY:
        return Found(0.94, Evidence(f"{text}: {g(ratio)} times as much, at every look", where))
    if a - b > PENALTY * b and look.step == 1:
        return Found(0.8, Evidence(f"{text}: the rest, {g(a - b)}, is a penalty", where))
    return None
