"""From a network, a loss and an optimizer to the calls of a whole training step, all on stretches of flat arrays."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .errors import ConfigError, ScratchnetError
from .optimizer_state import HasSlots
from .plan import Plan, Recorder, RecordError, Ref
from .record import record
from .run import Pool, Run
from .step_places import Places, layer_at
from .types import Array, Shape, structured

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable
    from scratchnet_kernels.cpu.step import Model, Operation, View

    from .loss import Loss
    from .network import Network


class Stepper(HasSlots, Protocol):
    """What is asked of an optimizer here: `scratchnet.optim.Optimizer` has it."""

    @property
    def lr(self) -> float:
        """The learning rate of a step that is not given one."""
        ...

    def update(
        self,
        k: OpTable,
        p: Array,
        g: Array,
        state: dict[str, Array],
        hyper: Array,
        lr: float,
        decay: float,
        zero: bool = False,
    ) -> None:
        """Run the kernel on one stretch."""
        ...

    def step(self, net: Network, *, lr: float | None = None) -> None:
        """Change the parameters by the gradients."""
        ...


def step_model(net: Network, loss: Loss, opt: Stepper, batch_size: int) -> Model:
    """The calls of one step of `batch_size` samples. Nothing is computed.

    Raises ScratchnetError where the step is none of whole arrays of one element type.
    """
    from scratchnet_kernels.cpu.step import Model

    if structured(net.input_shape) or net.in_kind != "float":
        raise ConfigError("only a network of one array of floats can be compiled into a step yet")
    places = Places(net)
    # of the plain layers: what a fused op saves, a pass and a call, the compiler finds here by itself
    plan = record(net, batch_size, training=True, need_dx=False, side={}, plain=True)
    if plan.updates:
        path = next(iter(plan.updates)).rpartition(".")[0]
        where = f"layer {path}, {layer_at(net, path)!r}"
        raise ConfigError("running statistics cannot be compiled into a step yet", where=where)
    forward = [places.operation(call, plan) for call in plan.forward]
    logits = places.view(plan.logits, plan)
    dlogits_at = next(i for i, buffer in enumerate(plan.buffers) if buffer.kind == "dlogits")
    plan_of_loss, targets, dz = _record_loss(net, loss, logits.shape)
    aliases = {buffer.kind: i for i, buffer in enumerate(plan_of_loss.buffers)}
    places.stands(plan_of_loss, aliases["logits"], logits)
    own = places.labels(targets) if targets.dtype == np.int64 else places.memory(targets.size, targets.shape)
    places.stands(plan_of_loss, aliases["targets"], own)
    of_loss = [places.operation(call, plan_of_loss, repr(loss)) for call in plan_of_loss.forward]
    places.stands(plan, dlogits_at, places.view(dz, plan_of_loss))
    backward = [places.operation(call, plan) for call in plan.backward]
    plan_of_update = _record_update(net, opt)
    update = [places.operation(call, plan_of_update, repr(opt)) for call in plan_of_update.forward]
    return Model(
        title=(*(repr(child) for _, child in net.body.children()), repr(loss), _rule(opt)),
        batch_size=batch_size,
        dtype=str(net.dtype),
        x=_shape_of_first_use(forward, places.kind(plan, "x")),
        targets=own,
        memory=places.used,
        slots=tuple(opt.slots),
        names={(store, s.start): s.name for store in ("parameters", "gradients") for s in _segments(net)},
        forward=tuple(forward),
        loss=tuple(of_loss),
        backward=tuple(backward),
        update=tuple(update),
    )


def _rule(opt: Stepper) -> str:
    """The optimizer as source, its learning rate left open: that is given with each step, and compiles nothing anew."""
    settings: Any = opt
    rest = [f"{f.name}={getattr(opt, f.name)!r}" for f in dataclasses.fields(settings) if f.name != "lr"]
    return f"{type(opt).__name__}({', '.join(['lr', *rest])})"


def _record_loss(net: Network, loss: Loss, shape: Shape) -> tuple[Plan, Array, Ref]:
    """The calls of forward and backward of the loss, the targets that they were recorded with, and where dz lies."""
    logits = np.zeros(shape, net.dtype)
    tries: tuple[Array, ...] = (
        np.zeros(shape[:1], np.int64),
        np.ones(shape[:1], np.int64),  # where class 0 is the one that counts for nothing
        np.zeros(shape, net.dtype),
    )
    refused: ScratchnetError | None = None
    for targets in tries:
        try:
            admitted = loss.admit(logits, targets)
            break
        except ScratchnetError as error:
            refused = refused or error
    else:
        assert refused is not None
        raise refused
    recorder = Recorder(net.backend)
    run = Run(Pool(), training=True, count=net.count, recorder=recorder)
    recorder.path = lambda: ""
    recorder.lease(logits, "logits")
    recorder.lease(admitted, "targets")
    dvalue = recorder.lease(np.ones((), np.float64), "dvalue")
    k: Any = recorder
    try:
        _, saved = loss.forward(k, logits, admitted, run)
        dz = loss.backward(k, saved, dvalue, run)
        return _plan(net, recorder), admitted, recorder.ref(dz, "dlogits")
    except RecordError as error:
        what = "a loss with arrays of its own (class weights) cannot be compiled into a step yet"
        raise ConfigError(what, where=repr(loss)) from error


def _record_update(net: Network, opt: Stepper) -> Plan:
    """The calls of the optimizer, one a stretch of parameters."""
    recorder = Recorder(net.backend)
    recorder.path = lambda: ""
    p = recorder.lease(net.parameters.flat, "parameters")
    g = recorder.lease(net.gradients.flat, "gradients")
    slots = {name: recorder.lease(np.empty_like(p), name) for name in opt.slots}
    hyper = recorder.lease(np.zeros(4), "hyper")
    k: Any = recorder
    for stretch, lr, decay in net.parameters.runs():
        opt.update(k, p[stretch], g[stretch], {name: slot[stretch] for name, slot in slots.items()}, hyper, lr, decay)
    return _plan(net, recorder)


def _plan(net: Network, recorder: Recorder) -> Plan:
    nowhere = Ref(0, 0, (), ())
    return Plan(net.backend, tuple(recorder.buffers), tuple(recorder.calls), (), nowhere, None, {})


def _shape_of_first_use(forward: list[Operation], x: View) -> View:
    """The input as its first reader sees it, (N, D) behind a Flatten."""
    views = [view for operation in forward for view in operation.views.values()]
    return next((v for v in views if v.store == x.store and (v.start, v.size) == (x.start, math.prod(x.shape))), x)


def _segments(net: Network) -> list[Any]:
    return list(net.parameters.segments.values())
