"""A penalty or a noise that leaves nothing to learn."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import g, looks, optimizer, pc, settings, weights
from ..skill import skill

SHRUNK = 0.5  # of its first norm, median over weights: training makes weights grow, or leaves them
GREW = 1.5  # times its first norm that a weight was at any time: then it was thrown, and only shrinks back
POOR = 0.6  # skill on the training batches below which something is kept from being learned
PULL = 9.0
"""Σ lr · decay of a run, over 1 − momentum: e^−9 is next to nothing of a weight that no gradient holds. Networks that
train well have up to 4, those that cannot hold what they learn 20 and more."""
HELD = 0.85  # the same where weights have shrunk by half under a decay or penalty that is strong enough to do that
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
    leads_to=(
        "class-imbalance",
        "underfitting",
        "plateau",
        "vanishing-gradients",
        "lr-too-low",
        "dead-relu",
        "frozen-parameters",
    ),
)


@CAUSE.check
def weights_shrink(history: History) -> Found | None:
    """Weights that lose their size while little is learned, under a decay or a penalty that explains it."""
    every = looks(history)
    first = {name: p.weight for name, p in weights(every[0]).items() if p.weight}
    series = {name: [w / size for look in every if (q := look.parameters.get(name)) and (w := q.weight) is not None]
              for name, size in first.items()}  # fmt: skip
    series = {name: shares for name, shares in series.items() if len(shares) > 1 and np.isfinite(shares).all()}
    known(series or None, "the weights' norms at two looks or more")
    typical = float(np.median([shares[-1] for shares in series.values()]))
    if typical > SHRUNK or max(map(max, series.values())) > GREW or skill(history) > HELD:
        return None
    pull = [*_decay(history), *_penalty(history)]
    if not pull:
        return None
    name = min(series, key=lambda name: series[name][-1])
    fell = f"the norm of {name} fell from {g(first[name])} to {g(first[name] * series[name][-1])}"
    text = f"skill on the training data is {pc(max(skill(history), 0))} of what there is"
    return Found(0.93, Evidence(fell, f"step {every[-1].step}"), *pull, Evidence(text, "train"))


def _decay(history: History) -> list[Evidence]:
    """Weight decay that by itself shrinks weights by a good part: Σ lr · decay, over 1 − momentum."""
    try:
        _, given = optimizer(history)
    except NotKnownError:
        return []
    decay, momentum = float(given.get("weight_decay", 0.0)), float(given.get("momentum", 0.0))
    total = decay * float(np.nansum(history.lrs)) * history.stride / max(1 - momentum, 0.001)
    if total < PULL:
        return []
    return [Evidence(f"a weight decay of {g(decay)} shrinks weights by e^−{g(total)} over the run", "settings")]


def _penalty(history: History) -> list[Evidence]:
    """A part of the first loss that is not of the data."""
    look = looks(history)[0]
    whole, data = look.loss, look.outputs.loss if look.outputs else None
    if whole is None or data is None or not whole > 1.2 * data > 0:
        return []
    return [Evidence(f"of the loss of {g(whole)}, {g(whole - data)} are a penalty", f"step {look.step}")]


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
