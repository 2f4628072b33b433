"""The contract at the edges: huge and tiny numbers, batches of one and of none, a last batch that is shorter."""

from __future__ import annotations

import numpy as np

from scratchnet.core.run import Pool, Run
from scratchnet.core.types import Array, Leaves, map_leaves, named_leaves

from .errors import CheckError, compare, identical
from .layouts import lay_out
from .subjects.layer import LayerSubject
from .tolerances import rounding

EXTREMES = {"ten thousand": 1e4, "denormal": 2.0**-140}
"""Sizes of x at which a gradient must still be finite; the second is denormal in float32."""


def check_extremes(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Where y is finite the gradients are, for x of ±1e4 and for denormal x, in float32 and float64."""
    for dtype in ("float64", "float32"):
        one = LayerSubject(subject.case, subject.seed, batch=subject.batch, backend=_backend(subject), dtype=dtype)
        one.training = subject.training
        for called, size in EXTREMES.items():
            x = map_leaves(lambda a, size=size: a if a.dtype.kind in "iu" else _of_size(a, size), one.x)
            with np.errstate(all="ignore"):
                result = one.run(x)
            if not np.isfinite(result.y).all():
                continue
            for name, gradient in result.gradients().items():
                if not np.isfinite(gradient).all():
                    raise CheckError(
                        f"{name} is not finite where y is",
                        where=f"x of size {called}, {one.where()}",
                        actual=gradient[~np.isfinite(gradient)][0],
                    )


def _of_size(a: Array, size: float) -> Array:
    return np.asarray(a * a.dtype.type(size / max(1.0, float(np.abs(a).max(initial=0.0)))))


def check_ragged(subject: LayerSubject, rng: np.random.Generator) -> None:
    """After a full batch a shorter one gives what it gives in a network of its own, and so does the full one again."""
    rows = subject.batch - 1
    if rows < (2 if subject.case.mixes_batch else 1):
        return
    fresh = LayerSubject(subject.case, subject.seed, batch=subject.batch, backend=_backend(subject))
    fresh.training = subject.training
    expected = _first_rows(fresh, rows)
    full = subject.run().arrays()
    shorter, again = _first_rows(subject, rows), subject.run().arrays()
    for name, array in expected.items():
        identical("a shorter batch after a full one differs", name, shorter[name], array)
    for name, array in full.items():
        identical("a full batch after a shorter one differs", name, again[name], array)


def _first_rows(subject: LayerSubject, rows: int) -> dict[str, Array]:
    whole, subject.side = subject.side, {name: a[:rows] for name, a in subject.side.items()}
    try:
        return subject.run(map_leaves(lambda a: a[:rows], subject.x), subject.dy[:rows]).arrays()
    finally:
        subject.side = whole


def check_broadcast(subject: LayerSubject, rng: np.random.Generator) -> None:
    """An x or dy whose rows are one row in memory, as `np.broadcast_to` makes it, gives what a copy of it gives."""
    x, dy = map_leaves(lay_out, subject.x, "broadcast"), lay_out(subject.dy, "broadcast")
    actual = subject.run(x, dy).arrays()
    for name, expected in subject.run(map_leaves(np.ascontiguousarray, x), np.ascontiguousarray(dy)).arrays().items():
        compare("a broadcast array differs from its copy", name, actual[name], expected, rounding(subject.dtype))


def check_empty(subject: LayerSubject, rng: np.random.Generator) -> None:
    """A batch of none gives a y and dx of none, and adds nothing to g. Past the Network, which refuses one."""
    if subject.case.mixes_batch and subject.training:  # there is no mean of nothing
        return
    net, layer = subject.net, subject.case.layer
    p, g = net.views.scope("0"), net.gradients.views.scope("0")
    side = {name: a[:0] for name, a in subject.side.items()}
    run = Run(Pool(), training=subject.training, count=net.count, side=side)
    net.zero_grad()
    x: Leaves = map_leaves(lambda a: a[:0], subject.x)
    with np.errstate(all="raise"):
        y, saved = run.call("0", lambda k, *rest: layer.forward(k, p, *rest), net.k, x)
        dy = subject.dy[:0]
        need_dx = not subject.index
        dx = run.call("0", lambda k, *rest: layer.backward(k, p, g, *rest), net.k, saved, dy, need_dx=need_dx)
    if y.shape != dy.shape:
        raise CheckError("y of an empty batch has the wrong shape", expected=dy.shape, actual=y.shape)
    for name, given in named_leaves("x", x).items():
        leaf = None if dx is None else named_leaves("x", dx)[name]
        if leaf is not None and leaf.shape != given.shape:
            raise CheckError(f"d{name} of an empty batch has the wrong shape", expected=given.shape, actual=leaf.shape)
    for name, view in net.gradients.views.items():
        identical("an empty batch adds to g", name, view, np.zeros_like(view))


def _backend(subject: LayerSubject) -> str:
    return subject.net.backend.name


REGIMES = (check_extremes, check_ragged, check_broadcast, check_empty)
"""Every check of this page."""
