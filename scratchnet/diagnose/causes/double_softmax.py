"""A softmax before a loss that holds one."""

from __future__ import annotations

from math import e, log

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import g, looks, outputs

CAUSE = Cause(
    "double-softmax",
    title="Softmax is applied twice",
    explanation="Softmax cross-entropy takes logits. Given probabilities, all between 0 and 1, it sees differences of "
    "at most 1: the loss cannot fall below ln(1 + (C−1)/e), and gradients are small where they should be large.",
    remedy="Remove the Softmax layer at the end; apply softmax to the logits only where probabilities are shown.",
    lesson="docs/doctor.md#double-softmax",
    leads_to=("class-imbalance", "plateau", "underfitting", "lr-too-low", "vanishing-gradients", "frozen-parameters"),
)


@CAUSE.check
def outputs_are_probabilities(history: History) -> Found | None:
    """No output below 0 and every row's sum 1, at each look."""
    told = [(outputs(look), look) for look in looks(history) if look.outputs]
    asked = [(out, look) for out, look in told if out.normalised is not None]
    if not asked:
        raise NotKnownError("whether the outputs are probabilities")
    loss = str(history.config.get("loss", "")).lower()
    if not all(out.normalised for out, _ in asked) or ("crossentropy" not in loss.replace("_", "") and loss):
        return None
    out, look = asked[-1]
    c = known(out.classes, "the number of classes")
    if c < 2:
        return None
    evidence = [Evidence(f"the rows of the {c} outputs are ≥ 0 and sum to 1", f"{len(asked)} looks")]
    last = look.layers[-1] if look.layers else None
    if last is not None and last.kind in ("Softmax", "LogSoftmax"):
        evidence.append(Evidence(f"the last layer is {last.layer or last.kind}", f"layer {last.path}"))
    if out.entropy is not None:
        bound = log(1 + (c - 1) / e)
        text = f"their softmax has entropy {g(out.entropy)}; ln {c} = {g(log(c))}, and the loss cannot pass {g(bound)}"
        evidence.append(Evidence(text, f"step {look.step}"))
    return Found(0.97, *evidence)
