"""A layer under a case as a subject of checks: a one-layer network with drawn inputs, parameters and cotangents."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.network import Network
from scratchnet.core.tape import Tape
from scratchnet.core.types import Array, Leaves, map_leaves, named_leaves, samples

from ..errors import CheckError
from ..layouts import fill
from ..numbers import Numbers, convert, rounded
from ..subject import as_far_as_numbers_go


def draw_values(rng: np.random.Generator, shape: tuple[int, ...], values: str, below: int = 0) -> Array:
    """An array of a value regime, in float64 (int64 for "index")."""
    if values == "index":
        return rng.integers(0, below, shape)
    return fill(rng, shape, np.float64, values)


@dataclass
class Result:
    """One forward and backward: y, dx, the gradients by parameter name, and proposed buffers as "new name"."""

    y: Array
    dx: Leaves
    g: dict[str, Array]
    new: dict[str, Array]

    def gradients(self) -> dict[str, Array]:
        """What the backward gave, by name."""
        dx = {} if self.dx is None else named_leaves("dx", self.dx)
        return {name: a for name, a in dx.items() if a is not None} | self.g

    def arrays(self) -> dict[str, Array]:
        """Everything by name."""
        return {"y": self.y} | self.gradients() | self.new


class LayerSubject:
    """A layer under one case: a network around it, an input and a cotangent.

    Parameters are moved off their initial values, so that a scale of 1 or a bias of 0 hides nothing. The cotangent is
    random, signed and non-uniform. All draws come from `seed`: two subjects of one case and seed agree to the bit.
    """

    trusted = True
    composed = False

    def __init__(
        self, case: Case, seed: int, *, batch: int = 3, backend: str = "reference", dtype: Any = "float64"
    ) -> None:
        rng = np.random.default_rng([seed, 7])
        self.case, self.seed, self.training, self.dtype = case, seed, True, np.dtype(dtype)
        self.numbers: Numbers = "float64"
        self.net = Network([case.layer], case.in_shape, seed=seed & 0xFFFFFFFF, backend=backend, dtype=dtype)
        self.net.pool.debug = True  # who reads leased memory before writing meets NaN
        for view in self.net.parameters.views.values():
            view += 0.3 * rng.normal(size=view.shape)
        for view in self.net.buffers.views.values():
            view += 0.25 * rng.random(size=view.shape)

        def drawn(shape: Any, values: str) -> Array:
            x = draw_values(rng, (batch, *shape), values, case.index_below)
            return x if values == "index" else x.astype(dtype)

        self.x: Leaves = map_leaves(drawn, case.in_shape, case.values)
        self.dy = rng.normal(size=(batch, *self.net.output_shape)).astype(dtype)
        self.side = {name: rng.normal(size=(batch, *shape)).astype(dtype) for name, shape in case.side.items()}
        self.side |= {name: rng.random((batch, *shape)) < 0.6 for name, shape in case.masks.items()}
        self.count = 3

    @property
    def batch(self) -> int:
        """How many samples x has."""
        return samples(self.x)

    @property
    def index(self) -> bool:
        """Whether the input is whole numbers only, which have no gradient."""
        return all(a.dtype.kind in "iu" for a in named_leaves("x", self.x).values())

    def forward(self, x: Leaves = None) -> tuple[Array, Tape]:
        """A forward; the count of forwards is held, so dropout draws the same mask every time."""
        x = self.x if x is None else x
        before = self.net.buffers.flat.copy()
        self.net.count[0] = self.count - (1 if self.training else 0)
        y, tape = self.net.forward(x, training=self.training, **self.side)
        self.net.buffers.flat[...] = before
        return y, tape

    def run(self, x: Leaves = None, dy: Array | None = None) -> Result:
        """A forward and a backward from zero gradients, everything copied."""
        self.net.zero_grad()
        y, tape = self.forward(x)
        out, new = y.copy(), {f"new {name}": a.copy() for name, a in tape.run.updates.items()}
        dx = self.net.backward(self.dy if dy is None else dy, tape, need_dx=not self.index)
        copied = None if dx is None else map_leaves(lambda a: None if a is None else a.copy(), dx)
        return Result(out, copied, self.net.gradients.snapshot(), new)

    def alone(self, row: int) -> Result:
        """What a row of the batch gives by itself, with its own part of the side inputs."""
        whole, part = self.side, slice(row, row + 1)
        self.side = {name: array[part] for name, array in whole.items()}
        try:
            return self.run(map_leaves(lambda a: a[part], self.x), self.dy[part])
        finally:
            self.side = whole

    def where(self) -> str:
        """The case in words."""
        shapes = {name: a.shape for name, a in named_leaves("x", self.x).items()}
        shown = shapes.get("x", shapes)
        return f"{self.case.layer!r} on {shown}, {self.dtype}, {self.case.values}, training={self.training}"

    def arguments(self) -> dict[str, Array]:
        """The leaves of x, unless they are whole numbers, and every parameter."""
        by = {name: a for name, a in named_leaves("x", self.x).items() if a.dtype.kind not in "iu"}
        return by | {_own(name): view for name, view in self.net.parameters.views.items()}

    def output(self) -> Array:
        """A copy of y."""
        with as_far_as_numbers_go(self.dtype):
            y, tape = self.forward()
        copy: Array = y.copy()
        tape.release()
        return copy

    def gradients(self, dout: Array) -> dict[str, Array]:
        """What the backward gives, by argument. Raises CheckError where it gives nothing, or floats for fractions."""
        with as_far_as_numbers_go(self.dtype):
            result = self.run(dy=dout)
        if result.dx is None and not self.index:
            raise CheckError("backward returned no dx though run.need_dx is true", where=self.where())
        leaves = {} if result.dx is None else named_leaves("x", result.dx)
        found = {name: leaf for name, leaf in leaves.items() if name in self.arguments()}
        for name, leaf in found.items():
            if leaf is None:
                raise CheckError(f"backward returned no d{name}", where=self.where())
        found |= {_own(name): g for name, g in result.g.items()}
        for name, g in found.items():
            if self.dtype == object and rounded(g):
                raise CheckError(f"d{name} on {self.numbers} turned into floats", where=self.where())
        return found

    def on(self, numbers: Numbers) -> LayerSubject:
        """The same values in other numbers, on the reference backend."""
        if numbers == self.numbers:
            return self
        dtype = object if numbers in ("digits", "fractions") else numbers
        other = LayerSubject(self.case, self.seed, batch=self.batch, dtype=dtype)
        other.numbers, other.training, other.count = numbers, self.training, self.count
        for theirs, ours in ((other.net.parameters, self.net.parameters), (other.net.buffers, self.net.buffers)):
            theirs.load({name: convert(view, numbers) for name, view in ours.views.items()})

        def converted(a: Array) -> Array:
            return convert(a, numbers) if a.dtype.kind == "f" else a.copy()

        other.x = map_leaves(converted, self.x)
        other.dy = converted(self.dy)
        other.side = {name: converted(a) for name, a in self.side.items()}
        return other

    def beside(self) -> dict[str, Array]:
        """x and the parameters."""
        return dict(self.arguments())

    def facts(self) -> Mapping[str, float]:
        """Numbers among the layer's settings."""
        layer = self.case.layer
        settings = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer)}
        return {
            name: float(v) for name, v in settings.items() if isinstance(v, int | float) and not isinstance(v, bool)
        }


def _own(name: str) -> str:
    """A parameter's name in its layer: "0.W" of the network is "W"."""
    return name.removeprefix("0.")
