"""Uphill instead of down."""

from __future__ import annotations

from itertools import pairwise

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, optimizer, unsettled
from ..series import long

OPPOSITE = -0.5  # cosine between the gradient of the loop and one computed beside it; right ones have 1
CLIMB = 0.8  # of the stretches must lie above the one before: climbing is steady, being thrown about is not
HIGHER = 1.3  # times its beginning that the loss must reach

CAUSE = Cause(
    "wrong-sign",
    title="The loss or its gradient has the wrong sign",
    explanation="Descent on −L climbs L: the loss rises steadily from the first step on, at every learning rate, and "
    "the network names less and less right than chance would.",
    remedy="w ← w − lr · dL/dw. Look for a minus that is missing or one too many: in the loss, in the update, in "
    "front of a regulariser.",
    lesson="docs/doctor.md#wrong-sign",
    leads_to=(
        "class-imbalance",
        "late-divergence",
        "lr-too-high",
        "non-finite",
        "loss-spike",
        "wrong-scale",
        "saturated-units",
        "dead-relu",
        "momentum-diverges",
        "overfitting",
        "underfitting",
        "plateau",
        "exploding-gradients",
    ),
)


@CAUSE.check
def against_a_fresh_gradient(history: History) -> Found | None:
    """The cosine of the loop's gradient with one computed beside it."""
    told = [(p.cosine, name, look.step) for look in unsettled(history) for name, p in look.parameters.items()
            if p.cosine is not None and p.fan_in]  # fmt: skip
    if not told:
        raise NotKnownError("a gradient computed beside the loop")
    opposite = [one for one in told if one[0] < OPPOSITE]
    if len(opposite) <= len(told) / 2:
        return None
    cosine, name, step = min(opposite)
    text = f"the gradient of {name} points against one computed beside the loop: cosine {g(cosine)}"
    return Found(0.98, Evidence(text, f"step {step}"))


@CAUSE.check
def told_another_loss(history: History) -> Found | None:
    """The loop's loss is minus the cross-entropy of its logits, or the rate or the decay is below 0."""
    pairs = [(look.loss, look.outputs.loss, look.step) for look in looks(history)
             if look.loss is not None and look.outputs and look.outputs.loss is not None]  # fmt: skip
    turned = [(a, b, step) for a, b, step in pairs if a < 0 < b and b > 0.01]
    if pairs and len(turned) > len(pairs) / 2:
        a, b, step = turned[0]
        return Found(
            0.97, Evidence(f"the loop's loss is {g(a)}, the cross-entropy of its logits {g(b)}", f"step {step}")
        )
    below = [(name, v) for name, v in _rates(history).items() if v < 0]
    if below:
        return Found(0.97, *[Evidence(f"{name} is {g(v)}, below 0", "settings") for name, v in below])
    if not pairs:
        raise NotKnownError("the loop's loss beside that of its logits")
    return None


@CAUSE.check
def climbs(history: History) -> Found | None:
    """A loss of the logits that climbs steadily from the first stretch on, and fewer right than by chance."""
    told = [(look.outputs.loss, look.step) for look in looks(history) if look.outputs and look.outputs.loss is not None]
    if len(told) < 5:
        raise NotKnownError("the cross-entropy of the logits at five looks or more")
    losses = [loss for loss, _ in told]
    rises = sum(b > a for a, b in pairwise(losses)) / (len(losses) - 1)
    right = [(x.outputs.correct, x.batch) for x in looks(history)[len(told) // 2 :]
             if x.outputs and x.outputs.correct is not None and x.batch]  # fmt: skip
    c = next((x.outputs.classes for x in looks(history) if x.outputs and x.outputs.classes), None)
    n = sum(batch for _, batch in right)
    if rises < CLIMB or losses[-1] < HIGHER * losses[0] or not c or n < 30:
        return None
    rate = sum(k for k, _ in right) / n
    if rate > 0.5 / c or long(history).unit == "":
        return None
    text = f"the cross-entropy of the logits climbs from {g(losses[0])} to {g(losses[-1])}, at {rises:.0%} of the looks"
    return Found(0.85, Evidence(text, f"step {told[0][1]} to {told[-1][1]}"),
                 Evidence(f"{100 * rate:.2g}% are right, by chance {100 / c:.2g}%", f"{n} samples"))  # fmt: skip


def _rates(history: History) -> dict[str, float]:
    found = {f"the learning rate of step {i + 1}": lr for i, lr in enumerate(history.lrs[:1])}
    try:
        name, given = optimizer(history)
        found |= {f"{name}'s {k}": float(v) for k, v in given.items() if k in ("lr", "weight_decay", "0")}
    except (NotKnownError, TypeError, ValueError):
        pass
    return found
