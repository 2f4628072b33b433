"""A penalty or a noise that leaves nothing to learn."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, optimizer, pc, settings, skill, weights

SHRUNK = 0.5  # of its first norm, median over weights: training makes weights grow, or leaves them
GREW = 1.5  # times its first norm that a weight was at any time: then it was thrown, and only shrinks back
POOR = 0.6  # skill on the training batches below which something is kept from being learned
DECAY = 0.05  # weight decay from which on it is at work within a run of usual length; 1e-4 to 1e-2 are usual
DROPPED = 0.8  # of the units, by a dropout layer; 0.5 is usual

CAUSE = Cause(
    "regularisation-too-strong",
    title="Regularisation is too strong",
    explanation="Weight decay pulls every weight to 0 at each step; where it outweighs the gradient, the network "
    "forgets faster than it learns, and its outputs draw near each other. Dropout of most units leaves too little "
    "signal.",
    remedy="Train without regularisation first; then add as much as the gap between training and validation asks for "
    "(weight decay 1e-4, dropout 0.2 to 0.5).",
    lesson="docs/doctor.md#regularisation-too-strong",
    leads_to=("underfitting", "plateau", "vanishing-gradients", "lr-too-low", "dead-relu", "frozen-parameters"),
)


@CAUSE.check
def weights_shrink(history: History) -> Found | None:
    """Weights that lose their size while little is learned, under a decay that explains it."""
    first, last = weights(looks(history)[0]), weights(looks(history)[-1])
    shrunk = [(q.weight / p.weight, n, p.weight, q.weight) for n, p in first.items()
              if p.weight and (q := last.get(n)) is not None and q.weight is not None and q.weight == q.weight]  # fmt: skip
    if not shrunk or len(looks(history)) < 2:
        raise NotKnownError("the weights' norms at two looks or more")
    peak = max(q.weight / p.weight for look in looks(history) for n, p in first.items()
               if p.weight and (q := look.parameters.get(n)) is not None and q.weight and q.weight == q.weight)  # fmt: skip
    typical = float(np.median([share for share, *_ in shrunk]))
    if typical > SHRUNK or peak > GREW or skill(history) > POOR:
        return None
    _, name, before, after = min(shrunk)
    evidence = [Evidence(f"the norm of {name} fell from {g(before)} to {g(after)}", f"step {looks(history)[-1].step}")]
    try:
        _, given = optimizer(history)
        decay = float(given.get("weight_decay", 0.0))
        if decay:
            evidence.append(Evidence(f"weight decay is {g(decay)}", "settings"))
    except NotKnownError:
        decay = 0.0
    evidence.append(Evidence(f"skill on the training data is {pc(max(skill(history), 0))} of what there is", "train"))
    return Found(0.92 if decay >= DECAY else 0.7, *evidence)


@CAUSE.check
def dropped(history: History) -> Found | None:
    """Dropout layers that leave little, and little that is learned."""
    found = []
    for layer in looks(history)[0].layers:
        name, given = settings(layer.layer or "")
        rate = given.get("rate", given.get("p", given.get("0")))
        if name == "Dropout" and isinstance(rate, int | float) and rate >= DROPPED:
            found.append((rate, Evidence(f"{layer.layer} drops {pc(rate)} of its inputs", f"layer {layer.path}")))
    if not found or skill(history) > POOR:
        return None
    text = f"skill on the training batches is {pc(max(skill(history), 0))} of what there is"
    return Found(0.88, *[e for _, e in found[:3]], Evidence(text, "train"))
