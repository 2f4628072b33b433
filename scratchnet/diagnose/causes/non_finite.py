"""NaN or infinity, and where it came from."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import broken, g, step_of

CAUSE = Cause(
    "non-finite",
    title="Numbers are no longer finite",
    explanation="A NaN spoils every weight within one step, and nothing after it means anything. It comes from the "
    "data, from a logarithm or quotient of 0, or from numbers that grew until they overflowed.",
    remedy="Look at where it arose first: a NaN in the inputs is cleaned there; a log or a division wants its stable "
    "form; growth before it has another cause, which is named here too.",
    lesson="docs/doctor.md#non-finite",
    leads_to=("plateau", "frozen-validation", "underfitting"),
)


@CAUSE.check
def in_the_data(history: History) -> Found | None:
    """Samples that are not numbers: that is where it comes from."""
    told = [(facts.nonfinite, name) for name, facts in history.data.items() if facts.nonfinite is not None]
    told += [(look.inputs.nonfinite, f"step {look.step}") for look in history.looks
             if look.inputs and look.inputs.nonfinite is not None]  # fmt: skip
    if not told:
        raise NotKnownError("whether the inputs are finite")
    bad = [one for one in told if one[0]]
    evidence = [Evidence(f"{g(n)} values of the inputs are not finite", at) for n, at in bad[:2]]
    return Found(1.0, *evidence) if bad else None


@CAUSE.check
def in_the_run(history: History) -> Found | None:
    """The first loss, layer or parameter that is not finite."""
    evidence = [
        Evidence(f"the first value that is not finite arose in {event.where or event.message}", f"step {event.step}")
        for event in history.events
        if event.what == "nonfinite"
    ][:1]
    bad = broken(history)
    if bad is not None:
        before = [v for v in history.losses[:bad] if math.isfinite(v)][-3:]
        was = f"; before it {', '.join(g(v) for v in before)}" if before else ""
        evidence.append(Evidence(f"the loss is {history.losses[bad]}{was}", step_of(history, bad)))
    for epoch in history.epochs:
        for name, m in epoch.splits.items():
            if m.loss is not None and not math.isfinite(m.loss) and len(evidence) < 2:
                evidence.append(Evidence(f"the {name} loss is {m.loss}", f"epoch {epoch.epoch}"))
    for look in history.looks:
        hurt = [name for name, p in look.parameters.items() if p.nonfinite]
        if hurt and len(evidence) < 3:
            evidence.append(Evidence(f"{hurt[0]} holds values that are not finite", f"step {look.step}"))
    if not (history.losses or history.epochs or history.looks):
        raise NotKnownError("any loss")
    return Found(0.7, *evidence[:3]) if evidence else None
