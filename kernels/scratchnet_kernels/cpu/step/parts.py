"""Whether a step falls into what belongs to its samples and what sums over them, so that threads can share it."""

from __future__ import annotations

from ...op import OPS
from .._products import ROWS
from .._threads import WORK
from .model import Model, Operation

PARTS: set[str] = set()
"""Ops whose emitters write what is a sample's own into `samples`, and the rest into `weights`."""


def in_parts(model: Model) -> bool:
    """Whether a step is worth more than one thread, and made of ops that fall into parts."""
    N = model.batch_size
    operations = model.forward + model.loss + model.backward
    flops = sum(operation.flops for operation in operations)
    return (
        flops >= 2 * WORK
        and N >= 2 * ROWS
        and all(operation.op in PARTS for operation in operations)
        and _by_samples(model, operations)
        and _apart(model)
    )


def _by_samples(model: Model, operations: tuple[Operation, ...]) -> bool:
    """Whether all that lies in memory belongs to samples, a row to each: it comes from x and the targets alone."""
    rows = {(view.store, view.start) for view in (model.x, model.targets)}
    for operation in operations:
        own = {name: v for name, v in operation.views.items() if v.store in ("memory", "labels") and v.shape}
        read = [view for name, view in own.items() if name not in OPS[operation.op].writes]
        if not read or any((view.store, view.start) not in rows for view in read):
            return False
        if any(view.shape[0] != model.batch_size for view in own.values()) or own.keys() & {"dW", "db"}:
            return False
        rows |= {(view.store, view.start) for view in own.values()}
    return True


def _apart(model: Model) -> bool:
    """Whether sums over samples may wait until every sample is done: nobody overwrites what they read meanwhile."""
    operations = model.backward
    for number, operation in enumerate(operations):
        for later in operations[number + 1 :]:
            written = [view for name, view in later.views.items() if name in OPS[later.op].writes]
            if any(w.store == "memory" and w.overlaps(view) for w in written for view in operation.views.values()):
                return False
    return True
