"""Recording: a network's step on op tables that note down and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .plan import Plan, Recorder
from .run import Pool, Run
from .types import Array, map_leaves, named_leaves

if TYPE_CHECKING:
    from .network import Network


def record(
    net: Network, batch_size: int, *, training: bool, need_dx: bool, side: Mapping[str, Array], plain: bool = False
) -> Plan:
    """The plan of one step of `net`: every op call of forward and backward, with its buffers.

    `plain` asks for the layers as they were written, even where others run in their place.
    """
    program = net.body if plain else net.program
    recorder = Recorder(net.backend)
    run = Run(Pool(), training=training, count=net.count, seed=net.seed, side=side, recorder=recorder)
    recorder.path = lambda: run.path
    given = {"parameters": net.parameters, "gradients": net.gradients, "buffers": net.buffers}
    for kind, store in given.items():
        recorder.lease(store.flat, kind)
    recorder.lease(net.count, "count")
    for name, array in side.items():
        recorder.lease(array, name)
    dtypes = {"float": net.dtype, "index": np.dtype(np.int64)}
    x = map_leaves(lambda shape, kind: np.zeros((batch_size, *shape), dtypes[kind]), net.input_shape, net.in_kind)
    for name, array in named_leaves("x", x).items():
        recorder.lease(array, name)
    logits, saved = program.forward(recorder, net.views, x, run)  # type: ignore[arg-type]
    forward = tuple(recorder.calls)
    dlogits = recorder.lease(np.zeros(logits.shape, net.dtype), "dlogits")
    run.need_dx, recorder.phase = need_dx, "backward"
    dx = program.backward(recorder, net.views, net.gradients.views, saved, dlogits, run)  # type: ignore[arg-type]
    logits_at, dx_at = recorder.ref(logits, "logits"), map_leaves(recorder.ref, dx, "dx")
    updates = {name: recorder.ref(new, name) for name, new in run.updates.items()}
    return Plan(
        backend=net.backend,
        buffers=tuple(recorder.buffers),
        forward=forward,
        backward=tuple(recorder.calls[len(forward) :]),
        logits=logits_at,
        dx=dx_at,
        updates=updates,
    )
