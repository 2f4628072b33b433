"""Reshape: the same numbers in another shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._reshaped import reshaped

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input's shape."""

    shape: Shape


@layer
class Reshape(Layer):
    """y = x as (N, *shape), elements in C order. A view of x where the memory allows.

    Derivative: dx = dy in the shape of x.

    Args:
        shape: the extents without the batch's, Reshape(2, 3) or Reshape((2, 3)). One may be -1: what is left.

    Raises:
        ConfigError: an extent that is none, or -1 twice.
        ShapeError: the input has another number of elements.
    """

    shape: tuple[int, ...]

    def __init__(self, *shape: int | tuple[int, ...]) -> None:
        extents = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        fits = all(whole(n, least=-1) and n != 0 for n in extents)
        require(fits, "Reshape takes whole numbers", expected="extents >= 1, one of them -1", actual=shape)
        require(list(extents).count(-1) <= 1, "Reshape can infer one extent only", actual=shape)
        object.__setattr__(self, "shape", tuple(extents))

    def out_shape(self, in_shape: Shape) -> Shape:
        """`shape`, with what is left in the place of -1."""
        size, known = math.prod(in_shape), abs(math.prod(self.shape))
        if size != known and (-1 not in self.shape or size % known):
            kind = "a multiple of " if -1 in self.shape else ""
            raise self.refuse(f"{kind}{known} elements a sample", f"{size}, of shape {('N', *in_shape)}")
        return tuple(size // known if n == -1 else n for n in self.shape)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x, reshaped."""
        shape = (len(x), *self.out_shape(x.shape[1:]))  # (N, ...) -> (N, *shape)
        return reshaped(k, x, shape, run.empty), Saved(x.shape)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x, reshaped: dx = dy, reshaped back."""
        return reshaped(k, dy, saved.shape, run.empty) if run.need_dx else None  # (N, *shape) -> (N, ...)

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Axes split, melted, both at once; each place for the extent that is left."""
        before = draw.one_of((12,), (3, 4), (2, 6), (2, 3, 2), (1, 12))
        return Case(cls(draw.one_of((4, 3), (-1,), (2, -1, 2), (-1, 6), (12, 1), (3, 4))), in_shape=before)
