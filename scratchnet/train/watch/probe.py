"""A second walk through the plain layers, beside the loop, that notes down what passes every layer.

A composite calls a child only through `run.call`, so a run that notes its calls sees every layer of every depth. It
computes with kernels, memory and gradients of its own, in the mode and with the forward count of the loop's last
forward: the same dropout masks, no buffer updated, no count advanced. Whatever the loop does next, it does to the bit
as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from scratchnet.core.border import cast
from scratchnet.core.layer import Layer
from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.run import Pool, Run
from scratchnet.core.tape import Tape
from scratchnet.core.types import Array, Leaves, map_leaves
from scratchnet_kernels import ScratchnetError


class Forward(NamedTuple):
    """A layer's call: its path, itself, what went in, what came out."""

    path: str
    layer: Layer
    x: Leaves
    y: Array


class Backward(NamedTuple):
    """What came back to a layer's output, and what it passed on; dx None where nobody asked."""

    dy: Array
    dx: Leaves


class Walk(NamedTuple):
    """What a walk saw. Its arrays live until the next walk.

    Attributes:
        x: the batch as it reached the first layer.
        forward: the layers, in the order in which their forwards ended: a composite comes after what it is made of.
        backward: by path; empty where the loss refused the batch.
        fresh: the gradient of each parameter, from this batch alone; empty where there was no backward.
    """

    x: Leaves
    forward: list[Forward]
    backward: dict[str, Backward]
    fresh: Mapping[str, Array]


class NotingRun(Run):
    """A run that notes every call of a layer."""

    def __init__(self, pool: Pool, **settings: Any) -> None:
        super().__init__(pool, **settings)
        self.forwards: list[Forward] = []
        self.backwards: dict[str, Backward] = {}

    def call(self, name: str, method: Callable[..., Any], k: Any, *args: Any, need_dx: bool = False) -> Any:
        """Call the child, and note what it was given and gave."""
        path = f"{self.path}.{name}" if self.path else name
        result = super().call(name, method, k, *args, need_dx=need_dx)
        what, child = getattr(method, "__name__", ""), getattr(method, "__self__", None)
        if isinstance(child, Layer) and what == "forward":
            self.forwards.append(Forward(path, child, args[1], result[0]))
        elif isinstance(child, Layer) and what == "backward":
            self.backwards[path] = Backward(args[3], result)
        return result


class Probe:
    """Walks through a network's layers as they were written, not as they were fused."""

    def __init__(self, net: Network, loss: Loss) -> None:
        self.net, self.loss = net, loss
        self.k = net.backend.table()
        self._pool = Pool()
        self._gradients = net.gradients.like()
        self._leased: list[Array] = []

    def walk(self, x: Leaves, y: Any, *, training: bool, side: Mapping[str, Array]) -> Walk:
        """Forward, loss, backward on a batch."""
        net = self.net
        self._pool.give(self._leased)
        self._leased.clear()
        run = NotingRun(self._pool, training=training, count=net.count, seed=net.seed, side=side)
        tape = Tape(self.k, run, net.parameters.version, self._leased)  # gives its memory back when it is dropped
        x = map_leaves(cast, x, net.in_kind, net.dtype, run)
        logits, saved = net.body.forward(self.k, net.views, x, run)
        try:
            _, dlogits = self.loss(logits, y, tape)
        except ScratchnetError:  # the loop's own loss says what is wrong with these targets
            return Walk(x, run.forwards, {}, {})
        self._gradients.zero()
        net.body.backward(self.k, net.views, self._gradients.views, saved, dlogits, run)
        return Walk(x, run.forwards, run.backwards, self._gradients.views)
