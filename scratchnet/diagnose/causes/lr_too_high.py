"""Steps that are too long for the weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import broken, g, grown, looks, pc, prior, step_of, weights
from ..series import STEPS, course, long
from ..skill import able, learned, short_of_it, skill

LONG = 0.05
"""Update/weight ratio, median over weights, above which a step is long. Healthy runs have 1e-4 to 1e-2 once started;
a first step of Adam may reach 0.05 in healthy runs too, which is why the loss must suffer as well."""
VERY_LONG = 0.5  # the same, where little speaks for harm: a loss that never fell has other causes too
EARLY = 0.3  # of the run, in which the long steps must have been
ROSE = 1.5  # times the level at the beginning: a loss that rises so far was thrown there
GREW = 4.0  # times its first norm: a weight that was blown up
LEARNED = 0.6  # of the level at the beginning: a loss that has been below it was not thrown away by the first steps
AWAY = 0.6  # skill that, with
HALF = 0.5  # of the loss of knowing nothing left at the end, shows that the steps led somewhere, if not far
MOST = 0.8  # of a layer's units that answer to nothing any more
LOST = 0.1  # skill below which nothing has been learned
WASTED = 0.95  # of the loss of one who knows the classes' shares only

CAUSE = Cause(
    "lr-too-high",
    title="The learning rate is too high",
    explanation="The updates are so long against the weights that the slope at their beginning says nothing of their "
    "end. The loss rises or jumps about, units die, and the network ends where it can only name class shares.",
    remedy="Divide the learning rate by 10 until the loss falls from the first steps on; a typical update is about a "
    "thousandth of the weights. A warm-up helps where only the first steps are too long.",
    lesson="docs/doctor.md#lr-too-high",
    leads_to=(
        "class-imbalance",
        "dead-relu",
        "saturated-units",
        "loss-spike",
        "late-divergence",
        "non-finite",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def long_steps(history: History) -> Found | None:
    """Long updates, and a loss that suffers from them."""
    told = []
    for look in looks(history):
        ratios = [p.update / p.weight for p in weights(look).values() if p.update is not None and p.weight]
        if ratios:
            told.append((float(np.median(ratios)), look))
    if not told:
        raise NotKnownError("the updates of the weights")
    finite = [one for one in told if math.isfinite(one[0])]
    if not finite:
        return None
    early = [one for one in finite if one[1].step <= max(10, EARLY * len(history.losses) * history.stride)]
    top, at = max(early or finite, key=lambda one: one[0])
    if top < LONG or _recovered(history, top) or _spoiled(history):
        return None
    times, name, step = grown(history)
    blown = [Evidence(f"the norm of {name} grew {g(times)}-fold", f"step {step}")] if times > GREW else []
    harm = _harm(history)
    if not harm and top > VERY_LONG and blown:
        harm = short_of_it(history)
    if not harm or (len(harm) == 1 and "ends at" in harm[0].text and top < VERY_LONG):
        return None
    text = f"the updates reach {g(top)} of the weights' norm; about 0.001 is usual"
    sure = min(0.9, 0.55 + 0.15 * math.log10(top / LONG) + 0.1 * (len(harm) - 1) + (0.05 if blown else 0.0))
    return Found(sure, Evidence(text, f"step {at.step}"), *harm, *blown)


@CAUSE.check
def loss_alone(history: History) -> Found | None:
    """Without looks: a loss that is thrown up at once and does not come back."""
    if history.looks:
        raise NotKnownError("")
    told = long(history)
    level = told.values[0]
    if told.highest == 0 or told.end < ROSE * level or told.highest > len(told.values) / 2 or level <= 0:
        return None
    text = f"the loss goes from {g(level)} to {g(told.values[told.highest])} and ends at {g(told.end)}"
    return Found(0.4, Evidence(text, told.where(told.highest)))


def _fell_silent(history: History) -> list[Evidence]:
    """A layer nearly all of whose units answered at first and are silent at the last look."""
    awake = {layer.path for layer in history.looks[0].layers if layer.never is not None and (layer.dead or 0.0) < MOST}
    last = history.looks[-1]
    silent = [(layer.dead, layer.path) for layer in last.layers if layer.path in awake and (layer.dead or 0.0) > MOST]
    return [Evidence(f"{pc(dead or 0.0)} of the units of layer {path} fell silent", f"step {last.step}")
            for dead, path in silent[:1]]  # fmt: skip


def _recovered(history: History, top: float) -> bool:
    """Whether it was learned all the same: then the rate was high and not too high."""
    if broken(history) is not None:
        return False
    try:
        if learned(history):
            return True
        return top < VERY_LONG and able(history) > AWAY and long(history).end < HALF * prior(history)
    except NotKnownError:
        return False


def _spoiled(history: History) -> bool:
    """Whether most units of a layer were at their bounds, or silent, before the first step: no rate did that."""
    first = history.looks[0]
    return first.step == 1 and any(
        (layer.saturated or 0.0) > MOST or (layer.never or 0.0) > MOST for layer in first.layers
    )


def _harm(history: History) -> list[Evidence]:
    """What the loss suffered from the beginning on; a run that had learned before has another cause."""
    losses = np.asarray(history.losses, float)
    known(True if losses.size else None, "the losses of the steps")
    found: list[Evidence] = []
    bad = broken(history)
    if any(event.what == "nonfinite" and (event.step or 0) <= 1 for event in history.events):
        return []  # before any update
    try:
        nothing = prior(history)
    except NotKnownError:
        nothing = 0.0
    told = course(history) if np.isfinite(losses).sum() >= STEPS else None
    values = np.asarray(told.values) if told else losses[np.isfinite(losses)]
    if not len(values):
        return []
    base = max(float(losses[0]) if math.isfinite(losses[0]) else 0.0, nothing)
    high = np.flatnonzero(values > ROSE * base)
    if len(high) and base > 0:
        top = int(values.argmax())
        if _lowest(values[:top], base, single=told is None) < LEARNED * base:  # learned before it rose, or rose again
            return []
        where = told.where(top) if told else step_of(history, top)
        found.append(Evidence(f"the loss rose from {g(base)} to {g(values[top])}", where))
    elif values.min() < LEARNED * (nothing or base):
        return []
    if told and nothing and skill(history) < LOST and told.end > WASTED * nothing:
        text = f"the loss ends at {g(told.end)}; who knows only the classes' shares has {g(nothing)}"
        found += [Evidence(text, told.where(-1)), *_fell_silent(history)]
    if bad is not None:
        found.append(Evidence("the loss is no longer finite", step_of(history, bad)))
    return found


def _lowest(values: np.ndarray[Any, Any], base: float, *, single: bool) -> float:
    """The lowest of them and `base`. `single`: of three losses in a row the middle one, as one batch may be easy."""
    if single and len(values) >= 3:
        values = np.median(np.lib.stride_tricks.sliding_window_view(values, 3), axis=1)
    return float(values.min(initial=base))
