"""Where the first value arose that is not finite, in the order in which a step computes."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...history.records import Look


class Culprit(NamedTuple):
    """A place as an Event names it, and a sentence."""

    where: str
    message: str


def culprit(look: Look) -> Culprit | None:
    """The first place with a value that is not finite, or None.

    The order is: inputs, parameters (the step before left them so), layers forward, the loss, layers backward,
    gradients of parameters.
    """
    if look.inputs is not None and look.inputs.nonfinite:
        return Culprit("inputs", f"{look.inputs.nonfinite} values of the batch are not finite")
    for name, p in look.parameters.items():
        if p.weight is not None and not math.isfinite(p.weight):
            return Culprit(name, f"{name} was not finite before this step: an earlier update made it so")
    for layer in look.layers:
        if layer.forward:
            return Culprit(f"{layer.path} forward", f"{layer.forward} outputs of {layer.layer} are not finite")
    if look.loss is not None and not math.isfinite(look.loss):
        return Culprit("loss", "all layers put out finite values, the loss of them is not")
    for layer in reversed(look.layers):
        if layer.backward:
            return Culprit(
                f"{layer.path} backward",
                f"{layer.backward} values of the gradient that comes back to {layer.layer} are not finite",
            )
    for name, p in look.parameters.items():
        if p.gradient is not None and not math.isfinite(p.gradient):
            return Culprit(f"{name} gradient", f"the gradient of {name} is not finite, those that led to it are")
    return None
