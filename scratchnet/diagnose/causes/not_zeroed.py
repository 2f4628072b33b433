"""Gradients that pile up."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, unsettled, weights

FRESH = 1.2  # ratio to a fresh gradient at the first step, at most: there nothing has piled up yet
EARLY = 10  # steps within which a forgotten zero shows, from the second on; a later turn is another thing
STRAIGHT = 0.98  # cosine with the fresh gradient at the first step, at least
OFF = 0.93  # the same at early steps, median: other batches' gradients are in it; a small penalty leaves it above 0.99

CAUSE = Cause(
    "not-zeroed",
    title="Gradients are not zeroed",
    explanation="backward adds to the gradients. Without zero_grad before it, every step goes along the sum of all "
    "gradients so far: a momentum of 1, which builds up speed and never brakes.",
    remedy="Call net.zero_grad() before every backward (or once per group of batches, where gradients are "
    "accumulated).",
    lesson="docs/doctor.md#not-zeroed",
    leads_to=(
        "lr-too-high",
        "momentum-diverges",
        "loss-spike",
        "late-divergence",
        "non-finite",
        "dead-relu",
        "saturated-units",
        "wrong-scale",
        "wrong-sign",
        "plateau",
        "underfitting",
        "overfitting",
        "exploding-gradients",
    ),
)


@CAUSE.check
def piled_up(history: History) -> Found | None:
    """The loop's gradient against one of this batch alone: equal at step 1, longer and askew later."""
    by_step = []
    for look in unsettled(history):
        pairs = [(p.ratio, p.cosine) for p in weights(look).values() if p.ratio is not None and p.cosine is not None]
        pairs = [(r, c) for r, c in pairs if np.isfinite(r) and np.isfinite(c)]
        if pairs:
            by_step.append(
                (look.step, float(np.median([r for r, _ in pairs])), float(np.median([c for _, c in pairs])))
            )
    if len(by_step) < 3 or by_step[0][0] != 1:
        raise NotKnownError("a gradient computed beside the loop, at step 1 and later")
    (_, first, cosine), later = by_step[0], by_step[1:]
    early = [(r, c) for step, r, c in later if step <= EARLY] or [later[0][1:]]
    typical, askew = (float(x) for x in np.median(early, 0))
    if first > FRESH or cosine < STRAIGHT or typical <= 1 or askew > OFF:
        return None
    evidence = [Evidence("the gradient is that of the batch alone", "step 1")]
    for step, ratio, cosine in (later[0], max(later, key=lambda one: one[1])):
        text = f"it is {g(ratio)} times as long as one of that batch alone, with cosine {g(cosine)}"
        evidence.append(Evidence(text, f"step {step}"))
    return Found(0.97, *evidence)
