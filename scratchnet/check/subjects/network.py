"""A whole network with its loss as a subject of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Array, Leaves, map_leaves, named_leaves

from ..numbers import Numbers, convert
from ..subject import as_far_as_numbers_go


class NetworkSubject:
    """value = loss(network(x), targets), by x and every parameter.

    It is a copy of the network in float64 (or in other numbers, then on the reference backend): nothing of the user's
    is touched. The count of forwards is held, so that dropout draws the same mask every time.
    """

    trusted = True
    composed = True

    def __init__(
        self,
        net: Network,
        loss: Loss,
        x: Leaves,
        targets: Array,
        side: Mapping[str, Array],
        *,
        training: bool = True,
        numbers: Numbers = "float64",
    ) -> None:
        """Raises NotRun where the numbers need a package that is absent."""
        self.loss, self.training, self.numbers = loss, training, numbers
        self._given = net, x, targets, side
        dtype = object if numbers in ("digits", "fractions") else numbers
        backend = net.backend.name if numbers == "float64" else "reference"
        ties = net.parameters.ties
        self.net = Network(
            net.body, net.input_shape, seed=net.seed, backend=backend, dtype=dtype, ties=ties, fuse=net.fuse
        )
        self.net.pool.debug = True  # who reads leased memory before writing meets NaN

        def converted(a: Array) -> Array:
            return convert(a.astype(np.float64), numbers) if a.dtype.kind == "f" else a.copy()

        for ours, theirs in ((self.net.parameters, net.parameters), (self.net.buffers, net.buffers)):
            ours.load({name: converted(view) for name, view in theirs.views.items()})
        self.x, self.targets = map_leaves(converted, x), converted(np.asarray(targets))
        self.side = {name: converted(a) for name, a in side.items()}

    def in_floats_of(self, net: Network) -> NetworkSubject:
        """The same on the network's own backend and element type."""
        given, x, targets, side = self._given
        own = NetworkSubject(given, self.loss, x, targets, side, training=self.training)
        own.net = Network(net.body, net.input_shape, seed=net.seed, backend=net.backend.name, dtype=net.dtype,
                          ties=net.parameters.ties, fuse=net.fuse)  # fmt: skip
        own.net.parameters.load(net.parameters.views)
        own.net.buffers.load(net.buffers.views)
        own.targets = own.targets.astype(net.dtype) if own.targets.dtype.kind == "f" else own.targets
        own.side = {name: a.astype(net.dtype) if a.dtype.kind == "f" else a for name, a in own.side.items()}
        return own

    def run(self, dvalue: Any = None) -> tuple[Array, dict[str, Array]]:
        """(value, gradients by argument); no gradients without dvalue."""
        net, before = self.net, self.net.buffers.flat.copy()
        net.count[0] = 3 - (1 if self.training else 0)
        try:
            with as_far_as_numbers_go(net.dtype):
                logits, tape = net.forward(self.x, training=self.training, **self.side)
                value, saved = self.loss.forward(net.k, logits, self.loss.admit(logits, self.targets), tape.run)
                value = value.copy()
                if dvalue is None:
                    tape.release()
                    return value, {}
                dlogits = self.loss.backward(net.k, saved, np.asarray(float(np.real(dvalue))), tape.run)
                net.zero_grad()
                floats = {name for name, a in named_leaves("x", self.x).items() if a.dtype.kind not in "iu"}
                dx = net.backward(dlogits, tape, need_dx=bool(floats))
        finally:
            net.buffers.flat[...] = before
        leaves = {} if dx is None else named_leaves("x", dx)
        return value, {name: leaves[name].copy() for name in leaves if name in floats} | self._of(net.gradients)

    def _of(self, store: Any) -> dict[str, Array]:
        """A store's arrays by name, tied ones once."""
        return {name: a.copy() for name, a in store.views.items() if name not in store.ties}

    def arguments(self) -> dict[str, Array]:
        """The leaves of x that are floats, and every parameter; tied ones once."""
        by = {name: a for name, a in named_leaves("x", self.x).items() if a.dtype.kind not in "iu"}
        store = self.net.parameters
        return by | {name: a for name, a in store.views.items() if name not in store.ties}

    def output(self) -> Array:
        """The loss."""
        return self.run()[0]

    def gradients(self, dout: Array) -> dict[str, Array]:
        """Of dout·loss."""
        return self.run(dout[()])[1]

    def on(self, numbers: Numbers) -> NetworkSubject:
        """The same in other numbers."""
        if numbers == self.numbers:
            return self
        net, x, targets, side = self._given
        return NetworkSubject(net, self.loss, x, targets, side, training=self.training, numbers=numbers)

    def beside(self) -> dict[str, Array]:
        """x and the parameters."""
        return self.arguments()

    def facts(self) -> dict[str, float]:
        """None: a network has many settings."""
        return {}
