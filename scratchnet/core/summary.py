"""What a step of a network costs, read from its plan: shapes, parameters, arithmetic, memory."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .plan import Plan
from .types import Leaves, Shape

if TYPE_CHECKING:
    from .network import Network


@dataclass(frozen=True)
class Row:
    """One layer of the network's outermost list.

    Attributes:
        path: its name, "0".
        layer: its source.
        out_shape: what it puts out, without the batch axis.
        parameters: how many numbers it trains, those of its children included.
        forward, backward: floating-point operations of a step, as far as its ops declare them (a multiply-add is two).
        kept: bytes that its forward keeps for the backward, its output included.
    """

    path: str
    layer: str
    out_shape: Leaves
    parameters: int
    forward: int
    backward: int
    kept: int


@dataclass(frozen=True)
class Summary:
    """The rows of a network and their totals for one training step of `batch_size` samples.

    Attributes:
        batch_size: the samples of the step.
        rows: one for each layer.
        parameter_bytes: of the parameters; their gradients take as much again.
        kept: bytes that live from forward to backward.
        passed: bytes of the gradients that the backward hands from layer to layer; they live as long.
        scratch: the most that one layer's method takes beside them.
    """

    batch_size: int
    rows: tuple[Row, ...]
    parameter_bytes: int
    kept: int
    passed: int
    scratch: int

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(row.parameters for row in self.rows)

    @property
    def peak(self) -> int:
        """Bytes of a step without optimizer state, the data, and what kernels keep for themselves."""
        return 2 * self.parameter_bytes + self.kept + self.passed + self.scratch

    def __str__(self) -> str:
        head = ("", "layer", "output", "parameters", "forward", "backward", "kept")
        table = [head]
        for row in self.rows:
            numbers = (f"{row.parameters:,}", _scaled(row.forward, 1000), _scaled(row.backward, 1000))
            table.append((row.path, row.layer, str(row.out_shape), *numbers, _scaled(row.kept, 1024) + "B"))
        totals = (_scaled(sum(r.forward for r in self.rows), 1000), _scaled(sum(r.backward for r in self.rows), 1000))
        table.append(("", "in all", "", f"{self.parameters:,}", *totals, _scaled(self.kept, 1024) + "B"))
        widths = [min(48, max(len(line[i]) for line in table)) for i in range(len(head))]
        lines = [
            "  ".join(
                (cell if len(cell) <= width else cell[: width - 1] + "…").ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        memory = (
            f"a step of {self.batch_size}: {_scaled(self.peak, 1024)}B = 2 × {_scaled(self.parameter_bytes, 1024)}B "
            f"(parameters, gradients) + {_scaled(self.kept, 1024)}B kept + {_scaled(self.passed, 1024)}B passed back + "
            f"{_scaled(self.scratch, 1024)}B scratch; forward and backward count floating-point operations"
        )
        return "\n".join([*lines, memory])


def summarize(net: Network, batch_size: int) -> Summary:
    """The summary of a training step. Nothing is computed; memory is taken for recording and given back.

    Raises ShapeError where batch_size is below 1.
    """
    plan = net.record(batch_size, training=True)
    by_path = _by_path(plan)
    rows = []
    store = net.parameters
    for name, layer, in_shape in net.body.wiring(net.input_shape):
        own = [s for s in store.segments.values() if s.name.startswith(name + ".")]
        forward, backward, kept = (by_path[what][name] for what in ("forward", "backward", "kept"))
        trained = sum(s.stop - s.start for s in own)
        rows.append(Row(name, repr(layer), _shape(layer.out_shape(in_shape)), trained, forward, backward, kept))
    taped = {
        phase: sum(buffer.nbytes for buffer in plan.buffers if (buffer.kind, buffer.phase) == ("tape", phase))
        for phase in ("forward", "backward")
    }
    scratch = Counter[str]()
    for buffer in plan.buffers:
        if buffer.kind == "scratch":
            scratch[buffer.path] += buffer.nbytes
    most = max(scratch.values(), default=0)
    return Summary(batch_size, tuple(rows), store.flat.nbytes, taped["forward"], taped["backward"], most)


def _by_path(plan: Plan) -> dict[str, Counter[str]]:
    """Arithmetic and kept bytes by the outermost layer's name."""
    counts = {"forward": Counter[str](), "backward": Counter[str](), "kept": Counter[str]()}
    for what, calls in (("forward", plan.forward), ("backward", plan.backward)):
        for call in calls:
            counts[what][call.path.partition(".")[0]] += call.flops
    for buffer in plan.buffers:
        if buffer.kind == "tape" and buffer.phase == "forward":
            counts["kept"][buffer.path.partition(".")[0]] += buffer.nbytes
    return counts


def _shape(shape: Leaves) -> Shape:
    return tuple(shape)


def _scaled(number: int, base: int) -> str:
    """1234567 -> "1.23 M"."""
    if number < base:
        return f"{number} " if base == 1024 else str(number)
    power = min(int(math.log(number, base)), 4)
    return f"{number / base**power:.3g} {'kMGT'[power - 1] if base == 1000 else ('Ki', 'Mi', 'Gi', 'Ti')[power - 1]}"
