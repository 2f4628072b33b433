"""Where the buffers of recorded plans lie in the few flat arrays of a compiled step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scratchnet_kernels.workspace import ALIGNMENT

from .errors import ConfigError
from .plan import Call, Plan, Ref
from .types import Array, Shape

if TYPE_CHECKING:
    from scratchnet_kernels.cpu.step import Operation, View

    from .network import Network


@dataclass
class Places:
    """Where the plans' buffers lie in the step's arrays."""

    net: Network
    used: int = 0
    known: dict[tuple[int, int], View] = field(default_factory=dict)

    def memory(self, size: int, shape: Shape) -> View:
        """A new stretch of the step's memory."""
        from scratchnet_kernels.cpu.step import View

        view = View("memory", self.used, shape)
        step = ALIGNMENT // self.net.dtype.itemsize
        self.used += size + (-size % step)
        return view

    def labels(self, targets: Array) -> View:
        """The batch's class indices."""
        from scratchnet_kernels.cpu.step import View

        return View("labels", 0, targets.shape)

    def stands(self, plan: Plan, buffer: int, view: View) -> None:
        """Say where a buffer of a plan lies."""
        self.known[id(plan), buffer] = view

    def kind(self, plan: Plan, kind: str) -> View:
        """Where the buffer of that kind lies."""
        return self._base(plan, next(i for i, buffer in enumerate(plan.buffers) if buffer.kind == kind))

    def view(self, ref: Ref, plan: Plan) -> View:
        """Where an array of a plan lies."""
        base, dtype = self._base(plan, ref.buffer), plan.buffers[ref.buffer].dtype
        if not _contiguous(ref, dtype.itemsize):
            raise ConfigError("an array with gaps or axes out of order cannot be compiled into a step yet")
        return replace(base, start=base.start + ref.offset // dtype.itemsize, shape=ref.shape)

    def operation(self, call: Call, plan: Plan, owner: str = "") -> Operation:
        """A call with its arrays in their places."""
        from scratchnet_kernels.cpu.step import Operation, emitter_of

        owner = owner or repr(layer_at(self.net, call.path))
        where = f"layer {call.path}, {owner}" if call.path else owner
        emitter_of(call.op, where)  # before its arrays, which may be of a kind that no emitter takes
        try:
            args = tuple(self.view(a, plan) if isinstance(a, Ref) else a for a in call.args)
        except ConfigError as error:
            error.where = where
            raise
        return Operation(call.op, args, call.path, owner, call.flops)

    def _base(self, plan: Plan, number: int) -> View:
        from scratchnet_kernels.cpu.step import View

        buffer = plan.buffers[number]
        if (id(plan), number) not in self.known:
            if buffer.kind in ("tape", "scratch", "x"):
                if buffer.dtype != self.net.dtype:
                    raise ConfigError(f"memory of {buffer.dtype} cannot be compiled into a step yet")
                view = self.memory(buffer.size, (buffer.size,))
            elif buffer.kind in ("count", "buffers"):
                raise ConfigError(f"what reads the network's {buffer.kind} cannot be compiled into a step yet")
            else:
                view = View(buffer.kind, 0, (buffer.size,))
            self.known[id(plan), number] = view
        return self.known[id(plan), number]


def _contiguous(ref: Ref, itemsize: int) -> bool:
    step = itemsize
    for extent, stride in zip(ref.shape[::-1], ref.strides[::-1], strict=True):
        if extent != 1 and stride != step:
            return False
        step *= extent
    return True


def layer_at(net: Network, path: str) -> Any:
    """The layer of that path, or the innermost that has a name there."""
    found: Any = net.body
    for name in filter(None, path.split(".")):
        children: Mapping[str, Any] = dict(found.children()) if hasattr(found, "children") else {}
        if name not in children:
            break
        found = children[name]
    return found
