"""When a run is healthy, and when a fault has done harm: rules on what was measured beside the run.

No rule here knows what the doctor looks at. A draw that does not keep its rule is drawn again, never relabelled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from _doctor_base import ANYTHING, Rng, Wants
from _doctor_outcome import Outcome
from _doctor_setup import Setup

Rule = Callable[[Outcome, Outcome, Setup], bool]  # (of the base, of the run, the run's setup)
LOSS = 0.08  # of the accuracy on clean samples that a fault must cost


def chance(setup: Setup) -> float:
    """The accuracy of naming the commonest class of the clean samples."""
    return float(np.bincount(setup.task.truth.y).max() / len(setup.task.truth))


def healthy(run: Outcome, setup: Setup) -> bool:
    """It trained well.

    In finite numbers, at least 0.85 of the way from chance to 1 on the training samples and 0.7 on the validation
    samples and on clean ones; no more than 0.12 between training and validation; the validation loss ends within a
    third (and 0.05) of its best; the training loss ends below 0.6 ln C.
    """
    floor = chance(setup)
    if not run.finite or floor == 1:  # all of one class: there is nothing to learn
        return False
    far = [(a - floor) / (1 - floor) for a in (run.train_accuracy, run.val[-1][1], run.accuracy)]
    best = min(loss for loss, _ in run.val)
    return (
        far[0] >= 0.85
        and min(far[1:]) >= 0.7
        and run.train_accuracy - run.val[-1][1] <= 0.12
        and run.val[-1][0] <= best * 4 / 3 + 0.05
        and run.stretch(0.9, 1) <= 0.6 * math.log(setup.task.classes)
    )


def worse(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """It broke off, or has lost 0.08 and more of the base's accuracy on clean samples."""
    return not run.finite or run.accuracy <= base.accuracy - LOSS


def slower(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """Worse; or the mean loss over the first half of the run is 1.4 times the base's and 0.15 more."""
    usual = base.stretch(0, 0.5)
    return worse(base, run, setup) or run.stretch(0, 0.5) >= max(1.4 * usual, usual + 0.15)


def uneven(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """The mean over classes of the accuracy on clean samples has fallen by 0.08 and more."""
    return not run.finite or run.balanced <= base.balanced - LOSS


def validation_falls(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """Validation has lost 0.15 and more, and the network itself has not."""
    return run.finite and run.val[-1][1] <= base.val[-1][1] - 0.15 and run.accuracy > base.accuracy - LOSS


def present(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """The fault is a fact of the data, the loop or the record: nothing needs to be measured."""
    return True


def starts_far(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """The first loss is above 1.8 ln C, and 1.5 times the base's; and it is slower."""
    far = run.losses[0] >= max(1.8 * math.log(setup.task.classes), 1.5 * base.losses[0])
    return far and slower(base, run, setup)


def overfits(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """Nearly all training samples are right, 0.15 fewer in validation, whose loss has risen by a quarter and 0.1."""
    best = min(loss for loss, _ in run.val)
    rises = run.val[-1][0] >= max(1.25 * best, best + 0.1)
    return run.finite and run.train_accuracy >= 0.95 and run.train_accuracy - run.val[-1][1] >= 0.15 and rises


def underfits(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """The training samples themselves are 0.12 and more below the base's, and training has come to rest there."""
    rest = run.stretch(0.85, 1) >= 0.9 * run.stretch(0.65, 0.8)
    return run.finite and run.train_accuracy <= base.train_accuracy - 0.12 and rest


def stands_still(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """It came well below ln C, then no further: the end is as what was before it, and well above the base."""
    first, end = run.stretch(0.6, 0.75), run.stretch(0.85, 1)
    learned = first <= 0.85 * min(run.losses[0], math.log(setup.task.classes))
    return run.finite and learned and end >= 0.93 * first and end >= max(1.4 * base.stretch(0.85, 1), 0.1)


def leaps(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """A loss is four times the median of the 30 before it, and 1 above it; the end is back near that median."""
    if not run.finite:
        return False
    for step in range(31, len(run.said)):
        before = float(np.median(run.said[step - 30 : step]))
        if run.said[step] >= max(4 * before, before + 1):
            return run.stretch(0.9, 1) <= 1.3 * before + 0.1
    return False


def turns(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """Validation came within 0.15 of the base's in the first two thirds, and ends 0.15 below that, not in NaN."""
    early = max((accuracy for _, accuracy in run.val[: max(1, 2 * len(run.val) // 3)]), default=0.0)
    return run.finite and early >= base.val[-1][1] - 0.15 and run.val[-1][1] <= early - 0.15


def not_finite(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """A loss is NaN or infinite, or the run stopped for it."""
    return not run.finite


def cannot_be(base: Outcome, run: Outcome, setup: Setup) -> bool:
    """A recorded accuracy is above 1, or is no whole number of samples by 0.05 and more."""
    for epoch in run.recorded.epochs if run.recorded else []:
        for m in epoch.splits.values():
            count = (m.accuracy or 0.0) * (m.total or 0)
            if (m.accuracy or 0.0) > 1 or abs(count - round(count)) >= 0.05:
                return True
    return False


@dataclass(frozen=True)
class Fault:
    """A mechanical change of a healthy recipe, and the cause that it is an instance of.

    Attributes:
        apply: changes the setup; may return words about the size of what it did.
        rule: what must hold, or the draw is repeated.
        log: whether a log of epochs is enough to see it; every second such run is recorded as a log.
        second: causes that are a legitimate second answer: true of such a run, but not what was done to it.
    """

    cause: str
    name: str
    apply: Callable[[Setup, Rng], str | None]
    wants: Wants
    rule: Rule
    log: bool = False
    second: tuple[str, ...] = ()


TOO_HIGH = ("late-divergence", "dead-relu", "non-finite", "loss-spike")  # what too large a step brings about

FAULTS: dict[str, list[Fault]] = {}
"""By cause, in the order in which they were written."""


def fault(
    cause: str, rule: Rule, wants: Wants = ANYTHING, *, log: bool = False, second: tuple[str, ...] = ()
) -> Callable[[Callable[[Setup, Rng], str | None]], Callable[[Setup, Rng], str | None]]:
    """Decorator: enter this change among the faults."""

    def enter(apply: Callable[[Setup, Rng], str | None]) -> Callable[[Setup, Rng], str | None]:
        name = apply.__name__.replace("_", " ")
        FAULTS.setdefault(cause, []).append(Fault(cause, name, apply, wants, rule, log, second))
        return apply

    return enter


EQUAL: dict[tuple[str, str], str] = {
    ("zero-init", "symmetric-init"): "weights that are all 0 are the symmetric case: all units of a layer are alike",
    ("plateau", "lr-too-low"): "a schedule that falls too early is a learning rate too low from there on",
}
"""(what was done, what may be said for it) and why no measurement tells the two apart. Fixed beforehand."""
