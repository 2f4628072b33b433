"""Units that never answer."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, pc

DEAD = 0.5  # of a layer's units; healthy ReLU layers have up to a third that never answer to the samples looked at
MOST = 0.9  # of them: then hardly anything passes
SAMPLES = 100  # looked at, at the least: a unit may well be silent for a few

CAUSE = Cause(
    "dead-relu",
    title="Units are dead",
    explanation="A ReLU whose input is negative for every sample puts out 0 and passes no gradient back: its weights "
    "never change again. When most are dead, only the last bias still learns, and one class is named for everything.",
    remedy="Find what threw them there: unscaled inputs, too long a first step, a large negative bias. A leaky ReLU "
    "or a normalisation layer keeps units alive, but cures no cause.",
    lesson="docs/doctor.md#dead-relu",
    leads_to=("vanishing-gradients", "frozen-parameters", "plateau", "underfitting", "lr-too-low"),
)


@CAUSE.check
def silent(history: History) -> Found | None:
    """The share of units that were 0 at every look so far, at the last one, and how it came about."""
    every = looks(history)
    told = [layer for layer in every[-1].layers if layer.never is not None]
    if not told or sum(look.batch or 0 for look in every) < SAMPLES:
        raise NotKnownError(f"which units never answer, on {SAMPLES} samples or more")
    worst = max(told, key=lambda layer: layer.never or 0.0)
    share = worst.never or 0.0
    if share < DEAD:
        return None
    last, first = every[-1], every[0]
    name = f"layer {worst.path} ({worst.layer or worst.kind})"
    units = f" of {g(worst.units)}" if worst.units else ""
    evidence = [Evidence(f"{pc(share)}{units} units of {name} never answered", f"step 1 to {last.step}")]
    begun = next((layer for layer in first.layers if layer.path == worst.path), None)
    if begun is not None and begun.dead is not None:
        then = next((x.dead for x in last.layers if x.path == worst.path), None)
        text = f"silent for the whole batch: {pc(begun.dead)} at first"
        text += f", {pc(then)} at step {last.step}" if then is not None else ""
        evidence.append(Evidence(text, f"step {first.step}"))
    return Found(0.6 + 0.3 * (share - DEAD) / (1 - DEAD) if share < MOST else 0.85, *evidence)
