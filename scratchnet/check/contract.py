"""The contract besides the gradient: what every layer owes to whoever calls it. Each check names one promise."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.errors import ShapeError
from scratchnet.core.fusion import FusedSequential
from scratchnet.core.layer import LAYERS
from scratchnet.core.network import Network
from scratchnet.core.types import Array, Leaves, map_leaves, named_leaves, structured

from .errors import CheckError, compare, identical
from .layouts import lay_out
from .regimes import REGIMES
from .subjects.layer import LayerSubject
from .tolerances import rounding


def check_linear_in_cotangent(subject: LayerSubject, rng: np.random.Generator) -> None:
    """backward(a·u + b·v) = a·backward(u) + b·backward(v). Catches clipping, squares and hard-coded signs."""
    u, v = subject.dy, rng.normal(size=subject.dy.shape).astype(subject.dtype)
    a, b = -1.75, 0.5
    whole = subject.run(dy=(a * u + b * v).astype(subject.dtype)).gradients()
    one, other = subject.run(dy=u).gradients(), subject.run(dy=v).gradients()
    for name in whole:
        compare("not linear in dy", name, whole[name], a * one[name] + b * other[name], rounding(subject.dtype))


def check_adds_to_gradients(subject: LayerSubject, rng: np.random.Generator) -> None:
    """backward adds to g: what stood there before is still in it."""
    clean = subject.run().g
    start = {name: rng.normal(size=a.shape).astype(a.dtype) for name, a in clean.items()}
    subject.net.gradients.load(start)
    _, tape = subject.forward()
    subject.net.backward(subject.dy, tape, need_dx=not subject.index)
    for name, view in subject.net.gradients.views.items():
        compare("backward does not add to g", name, view, start[name] + clean[name], 4 * rounding(subject.dtype))


def check_mutates_nothing(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Neither x nor dy nor parameters change, and a kept tape gives the same backward again."""
    x, dy, p = map_leaves(np.copy, subject.x), subject.dy.copy(), subject.net.parameters.flat.copy()
    given_x, given_dy = map_leaves(np.copy, subject.x), subject.dy.copy()
    subject.net.zero_grad()
    y, tape = subject.forward(given_x)
    y_before = y.copy()
    first = subject.net.backward(given_dy, tape, keep=True, need_dx=not subject.index)
    first_copy = None if first is None else _copied(first)
    g = subject.net.gradients.snapshot()
    subject.net.zero_grad()
    second = subject.net.backward(given_dy, tape, need_dx=not subject.index)
    _same_leaves("mutation", "x", given_x, x)
    identical("mutation", "dy", given_dy, dy)
    identical("mutation", "y", y, y_before)
    identical("mutation", "parameters", subject.net.parameters.flat, p)
    for name, view in subject.net.gradients.views.items():
        identical("the second backward of a tape differs", name, view, g[name])
    if first_copy is not None and second is not None:
        _same_leaves("the second backward of a tape differs", "dx", second, first_copy)


def check_buffers(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Buffers change through run.update alone, in training alone, and never in the backward."""
    net = subject.net
    before = net.buffers.snapshot()
    _, tape = net.forward(subject.x, training=subject.training, **subject.side)
    proposed = dict(tape.run.updates) if subject.training else {}
    after = {name: proposed.get(name, a).copy() for name, a in before.items()}
    for name, view in net.buffers.views.items():
        identical("a buffer was written past run.update", name, view, after[name])
    net.backward(subject.dy, tape, need_dx=not subject.index)
    for name, view in net.buffers.views.items():
        identical("the backward wrote into a buffer", name, view, after[name])


def check_any_layout(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Strides of x and dy do not matter."""
    expected = subject.run().arrays()
    for layout in ("F", "strided", "reversed"):
        x, dy = map_leaves(lay_out, subject.x, layout), lay_out(subject.dy, layout)
        actual = subject.run(x, dy).arrays()
        for name in expected:
            compare(f"layout {layout}", name, actual[name], expected[name], rounding(subject.dtype))


def check_reentrant(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Two forwards on two tapes, backwards in either order, give what each gives alone."""
    x2 = map_leaves(lambda a: np.ascontiguousarray(a[::-1]), subject.x)
    dy2 = rng.normal(size=subject.dy.shape).astype(subject.dtype)
    alone = subject.run(), subject.run(x2, dy2)
    for order in ((0, 1), (1, 0)):
        (y1, tape1), (y2, tape2) = subject.forward(), subject.forward(x2)
        identical("not re-entrant", "y", y1, alone[0].y)
        identical("not re-entrant", "y", y2, alone[1].y)
        for turn in order:
            subject.net.zero_grad()
            dx = subject.net.backward((subject.dy, dy2)[turn], (tape1, tape2)[turn], need_dx=not subject.index)
            for name, view in subject.net.gradients.views.items():
                identical("not re-entrant", name, view, alone[turn].g[name])
            expected = alone[turn].dx
            if dx is not None and expected is not None:
                _same_leaves("not re-entrant", "dx", dx, expected)


def check_need_dx(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Without need_dx the backward returns None and adds the same to g."""
    net, expected = subject.net, subject.run().g
    net.zero_grad()
    _, tape = subject.forward()
    p, g = net.views.scope("0"), net.gradients.views.scope("0")
    # past Network and Sequential, which would drop the dx that is not wanted; under the path that keys dropout
    saved = tape.saved.children[0]
    ran: Any = net.program  # in which a Sequential may have been fused
    backward = (ran.parts[0].layer if isinstance(ran, FusedSequential) else ran.layers[0]).backward
    dx = tape.run.call("0", lambda k, *rest: backward(k, p, g, *rest), net.k, saved, subject.dy)
    if dx is not None:
        raise CheckError("backward returned dx though run.need_dx is false", where=subject.where())
    for name, view in net.gradients.views.items():
        compare("need_dx=False", name, view, expected[name], rounding(subject.dtype))


def check_rows_independent(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Each row of a batch gives what it gives alone, and gradients are the sum over rows."""
    case = subject.case
    if (case.mixes_batch and subject.training) or (case.random and subject.training):
        return
    whole = subject.run().arrays()
    rows = [subject.alone(i).arrays() for i in range(subject.batch)]
    for name, expected in whole.items():
        parts = [row[name] for row in rows]
        per_row = name in ("y", "dx") or name.startswith("dx.")
        joined = np.concatenate(parts) if per_row else np.sum(parts, 0)
        compare("rows of the batch are mixed", name, joined, expected, 4 * rounding(subject.dtype))


def check_shapes_and_dtype(subject: LayerSubject, rng: np.random.Generator) -> None:
    """y is shaped as out_shape says, dx as x, and both keep the element type."""
    narrow = LayerSubject(subject.case, 0, batch=subject.batch, backend=subject.net.backend.name, dtype="float32")
    narrow.training = subject.training
    for one in (subject, narrow):  # in float64 nothing can be seen to widen to float64
        shape, expected = one.output().shape, (one.batch, *one.net.output_shape)
        if shape != expected:  # which no backward would get past
            raise CheckError("out_shape disagrees with the forward", expected=expected, actual=shape)
        result = one.run()
        given = named_leaves("dx", one.x)
        for name, array in result.gradients().items():
            if name in given and array.shape != given[name].shape:
                raise CheckError(f"{name} is not shaped like x", expected=given[name].shape, actual=array.shape)
        for name, array in result.arrays().items():
            if array.dtype != one.dtype:
                raise CheckError(f"{name} changed its element type", expected=one.dtype, actual=array.dtype)


def check_replay(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Recorded on zeros and replayed on the real values, a step computes what the layers compute."""
    net = subject.net
    expected = subject.run()
    plan = net.record(subject.batch, training=subject.training, need_dx=not subject.index, **subject.side)
    net.count[0] = subject.count
    given = {"parameters": net.parameters.flat, "gradients": net.gradients.flat, "buffers": net.buffers.flat}
    x = named_leaves("x", map_leaves(np.ascontiguousarray, subject.x))
    arena = plan.arena(given | {"count": net.count, "dlogits": subject.dy} | x | subject.side)
    net.zero_grad()
    plan.replay(plan.forward, arena)
    identical("replay differs", "y", plan.at(plan.logits, arena), expected.y)
    if {f"new {name}" for name in plan.updates} != expected.new.keys():
        raise CheckError("replay proposes other buffers", expected=[*expected.new], actual=[*plan.updates])
    for name, place in plan.updates.items():
        identical("replay differs", f"new {name}", plan.at(place, arena), expected.new[f"new {name}"])
    plan.replay(plan.backward, arena)
    if expected.dx is not None:
        _same_leaves("replay differs", "dx", plan.at(plan.dx, arena), expected.dx)
    for name, view in net.gradients.views.items():
        identical("replay differs", name, view, expected.g[name])


def _copied(dx: Leaves) -> Leaves:
    return map_leaves(lambda a: None if a is None else a.copy(), dx)


def _same_leaves(what: str, name: str, actual: Leaves, expected: Leaves) -> None:
    """`identical` for an array or every leaf of a NamedTuple; None, of whole numbers, is None."""
    due = named_leaves(name, expected)
    for leaf, array in named_leaves(name, actual).items():
        if array is not None or due[leaf] is not None:
            identical(what, leaf, array, due[leaf])


def check_repr(case: Case) -> None:
    """repr(layer) is the layer's source."""
    from scratchnet.core import initializers

    namespace = dict(vars(initializers)) | dict(LAYERS) | {type(case.layer).__name__: type(case.layer)}
    again = eval(repr(case.layer), namespace)
    if again != case.layer or repr(again) != repr(case.layer):
        raise CheckError("eval(repr(layer)) is another layer", expected=repr(case.layer), actual=repr(again))


def check_round_trip(subject: LayerSubject, rng: np.random.Generator) -> None:
    """Parameters and buffers by name are all there is to a layer: loaded elsewhere, it predicts the same."""
    case, net = subject.case, subject.net
    other = Network([case.layer], case.in_shape, seed=12345, backend=net.backend.name, dtype=net.dtype)
    other.parameters.load(net.parameters.snapshot())
    other.buffers.load(net.buffers.snapshot())
    side: dict[str, Any] = dict(subject.side)
    identical("round trip by name", "y", other.predict(subject.x, **side), net.predict(subject.x, **side))


def check_refuses_wrong_input(subject: LayerSubject, rng: np.random.Generator) -> None:
    """An input that is not the network's meets a ShapeError; so does an axis more or less, or the layer takes it."""
    net = subject.net
    for leaf, array in named_leaves("x", subject.x).items():
        n, *shape = array.shape
        for wrong in ((n, *shape, 3), (n, *[size + 1 for size in shape])):
            if wrong == array.shape:
                continue
            x = _with_leaf(subject.x, leaf, np.zeros(wrong, array.dtype))
            try:
                net.forward(x, training=subject.training, **subject.side)
            except ShapeError:
                continue
            raise CheckError("a wrong input was taken", where=f"{leaf} of {subject.where()}", actual=wrong)
    if subject.side or structured(subject.x):  # their shapes follow each other's
        return
    for shape in ((*net.input_shape, 3), net.input_shape[:-1]):  # past the border: a network that is told so
        try:
            other = Network([subject.case.layer], shape, backend=net.backend.name, dtype=net.dtype)
            y, _ = other.forward(np.zeros((2, *shape), np.int64 if subject.index else net.dtype), training=False)
        except ShapeError:
            continue
        except Exception as error:
            raise CheckError(
                "a wrong input met no ShapeError", where=subject.where(), actual=f"{error!r} for {shape}"
            ) from error
        if y.shape != (2, *other.output_shape):
            raise CheckError("out_shape disagrees with the forward", expected=other.output_shape, actual=y.shape)


def _with_leaf(x: Leaves, leaf: str, array: Array) -> Leaves:
    return x._replace(**{leaf.removeprefix("x."): array}) if structured(x) else array


CHECKS = (
    check_linear_in_cotangent,
    check_adds_to_gradients,
    check_mutates_nothing,
    check_buffers,
    check_any_layout,
    check_reentrant,
    check_need_dx,
    check_rows_independent,
    check_shapes_and_dtype,
    check_replay,
    check_round_trip,
    check_refuses_wrong_input,
    *REGIMES,
)
"""Every check of a layer under a case."""

KINDS = {
    "check_linear_in_cotangent": "not linear",
    "check_adds_to_gradients": "not added",
    "check_mutates_nothing": "mutation",
    "check_reentrant": "state left over",
    "check_rows_independent": "rows mixed",
    "check_extremes": "not finite",
    "check_ragged": "state left over",
}
"""What kind of mistake it is when a check fails; "protocol" for the others."""
