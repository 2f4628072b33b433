"""Which parameters a step may change at once, W -= lr·dW as dW is being summed, with no gradient stored.

That is plain gradient descent alone: no velocity, no decay. It saves a step three passes over the parameters: setting
gradients to zero, adding to them, and reading them. It is right only where nobody else needs the gradient or reads the
parameter after its own backward: each must be named by one backward op and by one forward op. And all that an op adds
up must have one learning rate.
"""

from __future__ import annotations

from collections import Counter

from .model import Model, Operation, View

DESCENDING = {"dense_backward"}
"""The backward ops whose emitters can do so."""


def descents(model: Model) -> dict[View, float]:
    """The learning rate's multiplier by gradient, for all parameters of a stretch or for none of it."""
    found: dict[View, float] = {}
    gradients = [
        (view, operation) for operation in model.backward for view in operation.views.values() if _is_gradient(view)
    ]
    times = Counter(view for view, _ in gradients)
    stretches = [(update["p"], update) for update in model.update if update.op == "sgd"]
    if any(not any(_within(view, stretch) for stretch, _ in stretches) for view, _ in gradients):
        return {}  # one of them is frozen: its op would have to be told apart
    reads = Counter(view.start for operation in model.forward for view in set(_parameters(operation)))
    for stretch, update in stretches:
        inside = [(view, operation) for view, operation in gradients if _within(view, stretch)]
        plain = update["v"] is None and update["weight_decay"] == 0
        if plain and all(
            operation.op in DESCENDING and times[view] == 1 and reads[view.start] == 1 for view, operation in inside
        ):
            found |= {view: update["lr_scale"] for view, _ in inside}
    alike = all(len({found.get(view) for view, other in gradients if other is own}) == 1 for _, own in gradients)
    return found if alike and all(view in found for view, _ in gradients) else {}


def _is_gradient(view: View) -> bool:
    return view.store == "gradients"


def _within(view: View, stretch: View) -> bool:
    return stretch.start <= view.start and view.stop <= stretch.stop


def _parameters(operation: Operation) -> list[View]:
    return [view for view in operation.views.values() if view.store == "parameters"]
