"""Units that begin as copies of each other."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import first_look, g, looks, pc, weights

COPIES = 0.5  # of a weight's units that another has too; drawn at random there is none

CAUSE = Cause(
    "symmetric-init",
    title="The units of a layer are copies of each other",
    explanation="Units with equal weights get equal gradients and stay equal: a layer of 128 such units can do what "
    "one can do. Only different random weights make them different.",
    remedy="Draw every weight independently; a constant, or a seed that is set anew for each row, does not do.",
    lesson="docs/doctor.md#symmetric-init",
    leads_to=(
        "class-imbalance",
        "plateau",
        "underfitting",
        "vanishing-gradients",
        "exploding-gradients",
        "lr-too-low",
        "lr-too-high",
        "dead-relu",
        "saturated-units",
        "initial-loss",
        "huge-init",
    ),
)


@CAUSE.check
def copies(history: History) -> Found | None:
    """Equal rows in weights that are not zero; the last layer alone does no harm."""
    told = list(weights(first_look(history)).items())
    if all(p.alike is None for _, p in told):
        raise NotKnownError("whether units are alike")
    found = []
    for name, p in told[: max(1, len(told) - 1)]:
        if p.alike is None or p.alike < COPIES or not p.weight or not p.fan_in or not p.size or p.size == p.fan_in:
            continue
        units = p.size // p.fan_in
        found.append(Evidence(f"{pc(p.alike)} of the {units} units of {name} have another one's weights", "step 1"))
        later = looks(history)[-1]
        if later.step > 1 and name in later.parameters and (still := later.parameters[name].alike) is not None:
            found.append(Evidence(f"still {pc(still)} of them", f"step {g(later.step)}"))
    return Found(0.95, *found[:4]) if found and len(told) > 1 else None
