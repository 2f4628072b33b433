"""What is checked: a layer in a one-layer network, with drawn inputs, parameters and cotangents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.network import Network
from scratchnet.core.tape import Tape
from scratchnet.core.types import Array


def draw_values(rng: np.random.Generator, shape: tuple[int, ...], values: str, below: int = 0) -> Array:
    """An array of a value regime, in float64 (int64 for "index")."""
    if values == "index":
        return rng.integers(0, below, shape)
    if values == "ties":  # small whole numbers: maxima tie, and the kinks at 0 and ±1 are hit
        return rng.integers(-2, 3, shape).astype(np.float64)
    x = rng.normal(size=shape)
    return {"normal": x, "large": 100.0 * x, "positive": np.abs(x) + 0.1}[values]


def lay_out(x: Array, layout: str) -> Array:
    """The same values in another memory layout: "C", "F", "strided", "reversed"."""
    if layout == "C" or x.ndim == 0:
        return np.ascontiguousarray(x)
    if layout == "F":
        return np.asfortranarray(x)
    if layout == "strided":
        wide = np.full((*x.shape[:-1], 2 * x.shape[-1] + 1), 99, x.dtype)
        wide[..., 1::2] = x
        return wide[..., 1::2]
    return np.ascontiguousarray(x[::-1])[::-1]


@dataclass
class Result:
    """One forward and backward: y, dx, the gradients by parameter name, and proposed buffers as "new name"."""

    y: Array
    dx: Array | None
    g: dict[str, Array]
    new: dict[str, Array]

    def gradients(self) -> dict[str, Array]:
        """What the backward gave, by name."""
        return ({"dx": self.dx} if self.dx is not None else {}) | self.g

    def arrays(self) -> dict[str, Array]:
        """Everything by name."""
        return {"y": self.y} | self.gradients() | self.new


class Subject:
    """A layer under one case: a network around it, an input and a cotangent.

    Parameters are moved off their initial values, so that a scale of 1 or a bias of 0 hides nothing. The cotangent is
    random, signed and non-uniform. All draws come from `seed`: two subjects of one case and seed agree to the bit.
    """

    def __init__(
        self, case: Case, seed: int, *, batch: int = 3, backend: str = "reference", dtype: Any = "float64"
    ) -> None:
        rng = np.random.default_rng([seed, 7])
        self.case, self.training, self.dtype = case, True, np.dtype(dtype)
        self.net = Network([case.layer], case.in_shape, seed=seed & 0xFFFFFFFF, backend=backend, dtype=dtype)
        for view in self.net.parameters.views.values():
            view += 0.3 * rng.normal(size=view.shape)
        for view in self.net.buffers.views.values():
            view += 0.25 * rng.random(size=view.shape)
        x = draw_values(rng, (batch, *case.in_shape), case.values, case.index_below)
        self.x = x if case.values == "index" else x.astype(dtype)
        self.dy = rng.normal(size=(batch, *self.net.output_shape)).astype(dtype)
        self.side = {name: rng.normal(size=(batch, *shape)).astype(dtype) for name, shape in case.side.items()}
        self.side |= {name: rng.random((batch, *shape)) < 0.6 for name, shape in case.masks.items()}
        self.count = 3

    @property
    def index(self) -> bool:
        """Whether the input is whole numbers, which have no gradient."""
        return self.case.values == "index"

    def forward(self, x: Array | None = None) -> tuple[Array, Tape]:
        """A forward; the count of forwards is held, so dropout draws the same mask every time."""
        x = self.x if x is None else x
        before = self.net.buffers.flat.copy()
        self.net.count[0] = self.count - (1 if self.training else 0)
        y, tape = self.net.forward(x, training=self.training, **self.side)
        self.net.buffers.flat[...] = before
        return y, tape

    def output(self, x: Array | None = None) -> Array:
        """A copy of y."""
        y, tape = self.forward(x)
        copy = y.copy()
        tape.release()
        return copy

    def run(self, x: Array | None = None, dy: Array | None = None) -> Result:
        """A forward and a backward from zero gradients, everything copied."""
        self.net.zero_grad()
        y, tape = self.forward(x)
        out, new = y.copy(), {f"new {name}": a.copy() for name, a in tape.run.updates.items()}
        dx = self.net.backward(self.dy if dy is None else dy, tape, need_dx=not self.index)
        return Result(out, None if dx is None else dx.copy(), self.net.gradients.snapshot(), new)

    def alone(self, row: int) -> Result:
        """What a row of the batch gives by itself, with its own part of the side inputs."""
        whole, part = self.side, slice(row, row + 1)
        self.side = {name: array[part] for name, array in whole.items()}
        try:
            return self.run(self.x[part], self.dy[part])
        finally:
            self.side = whole

    def arguments(self) -> dict[str, Array]:
        """What the output is differentiated by: x, unless it is whole numbers, and every parameter, to write into."""
        by = {} if self.index else {"x": self.x}
        return by | dict(self.net.parameters.views)

    def where(self) -> str:
        """The case in words."""
        return f"{self.case.layer!r} on {self.x.shape}, {self.dtype}, {self.case.values}, training={self.training}"
