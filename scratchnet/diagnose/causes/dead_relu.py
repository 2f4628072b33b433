"""Units that never answer."""

from __future__ import annotations

from scratchnet.train.history import History
from scratchnet.train.history.records import LayerLook

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, pc
from ..skill import MOSTLY, learned

DEAD = 0.5  # of a layer's units; healthy ReLU layers have up to a third that never answer to the samples looked at
MOST = 0.9  # of them: then hardly anything passes
FEW = 5  # units of a layer, of which half may well be silent from the start by chance
SAMPLES = 100  # looked at, at the least: a unit may well be silent for a few
LOOKS = 3  # in a row, in which units are silent

CAUSE = Cause(
    "dead-relu",
    title="Units are dead",
    explanation="A ReLU whose input is negative for every sample puts out 0 and passes no gradient back: its weights "
    "never change again. When most are dead, only the last bias still learns, and one class is named for everything.",
    remedy="Find what threw them there: unscaled inputs, too long a first step, a large negative bias. A leaky ReLU "
    "or a normalisation layer keeps units alive, but cures no cause.",
    lesson="docs/doctor.md#dead-relu",
    leads_to=("class-imbalance", "vanishing-gradients", "frozen-parameters", "plateau", "underfitting", "lr-too-low"),
)


@CAUSE.check
def never_answered(history: History) -> Found | None:
    """The share of units that were 0 at every look, from the first one on."""
    every = looks(history)
    told = [layer for layer in every[-1].layers if layer.never is not None and (layer.units or FEW) >= FEW]
    if not told or sum(look.batch or 0 for look in every) < SAMPLES:
        raise NotKnownError(f"which units never answer, on {SAMPLES} samples or more")
    worst = max(told, key=lambda layer: layer.never or 0.0)
    share = worst.never or 0.0
    if share < DEAD or learned(history):
        return None
    units = f" of {g(worst.units)}" if worst.units else ""
    text = f"{pc(share)}{units} units of {_name(worst)} never answered"
    sure = 0.6 + 0.3 * (share - DEAD) / (1 - DEAD) if share < MOST else 0.85
    return Found(sure, Evidence(text, f"step 1 to {every[-1].step}"))


@CAUSE.check
def fell_silent(history: History) -> Found | None:
    """Nearly all units of a layer are 0 for the whole batch at each later look, though they answered at first."""
    every = looks(history)
    late = every[len(every) // 2 :]
    paths = [layer.path for layer in every[-1].layers if layer.never is not None]
    if not paths or len(late) < LOOKS:
        raise NotKnownError("which units are silent")
    for path in paths:
        series = [(x.dead, x, look.step) for look in (every[0], *late) for x in look.layers if x.path == path]
        shares = [dead for dead, _, _ in series[1:] if dead is not None]
        if len(shares) >= LOOKS and min(shares) > MOST and not learned(history, MOSTLY):
            first, layer, _ = series[0]
            text = f"at least {pc(min(shares))} of the units of {_name(layer)} are silent for the whole batch"
            begun = [Evidence(f"{pc(first)} were so at first", "step 1")] if first is not None else []
            return Found(0.7, Evidence(text, f"step {late[0].step} to {late[-1].step}"), *begun)
    return None


def _name(layer: LayerLook) -> str:
    return f"layer {layer.path} ({layer.layer or layer.kind})"
