"""Embedding: a row of a table for every number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import Initializer, Normal
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The indices tell which rows dy belongs to."""

    x: Array


@dataclass(frozen=True)
class ZeroRow:
    """As `init`, but one row is zero."""

    init: Initializer
    row: int

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        W = self.init(rng, shape)
        W[self.row] = 0.0
        return W


@layer
class Embedding(Layer):
    """y[n, ..., :] = W[x[n, ...], :].

    Shapes: x (N, ...) whole numbers, W (count, dim), y (N, ..., dim). W is laid out as PyTorch's Embedding lays it out.
    Derivative: dW[v] = Σ dy over all positions where x = v; there is no dx.
    W begins standard normal, as in PyTorch.

    Args:
        count: number of rows; indices lie in 0..count-1.
        dim: length of a row.
        padding_index: the index that stands for "nothing": its output is zero, so that its row, which begins at zero,
            has no gradient. (In PyTorch the output is the row itself, which is the same as long as the row stays zero;
            where another value was loaded into it, PyTorch's zero gradient is not the derivative.)
        init: how W begins.

    Raises:
        ConfigError: a setting without meaning.
        IndexOutOfRangeError: an index below 0 or not below count; negative ones do not count from the end.
    """

    count: int
    dim: int
    padding_index: int | None = None
    init: Initializer = Normal()

    def __post_init__(self) -> None:
        require(
            whole(self.count) and whole(self.dim),
            "Embedding's count and dim are whole numbers, 1 or more",
            actual=(self.count, self.dim),
        )
        if self.padding_index is not None:
            require(
                whole(self.padding_index, least=0) and self.padding_index < self.count,
                "padding_index is one of the rows",
                expected=f"0..{self.count - 1}",
                actual=self.padding_index,
            )

    @property
    def in_kind(self) -> Literal["float", "index"]:
        """Whole numbers."""
        return "index"

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W."""
        init = self.init if self.padding_index is None else ZeroRow(self.init, self.padding_index)
        return {"W": ParamSpec((self.count, self.dim), init)}

    def out_shape(self, in_shape: Shape) -> Shape:
        """(...) -> (..., dim)."""
        return (*in_shape, self.dim)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = W[x], and 0 at the padding."""
        y = run.empty((*x.shape, self.dim), p["W"].dtype)  # (N, ...) -> (N, ..., dim)
        k.embedding(x, p["W"], y, self.padding_index)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = W[x]: dW[x] += dy, once for each time that an index occurs."""
        k.embedding_backward(saved.x, dy, g["W"], self.padding_index)
        return None

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Few rows, so that indices repeat; one sample a number, a sequence or a grid; with and without padding."""
        rows = draw.integer(1, 7)
        made = cls(rows, draw.integer(1, 5), draw.one_of(None, 0, rows - 1))
        return Case(made, in_shape=draw.one_of((), (4,), (2, 3)), values="index", index_below=rows)
