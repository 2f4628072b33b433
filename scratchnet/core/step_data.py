"""The samples of compiled steps: checked once for many steps, gathered by the steps themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .errors import DtypeError, ShapeError
from .layer import require
from .types import Array

if TYPE_CHECKING:
    from .network import Network


class Samples(Protocol):
    """What is asked of a data set in minibatches: `scratchnet.data.Batches` has it."""

    batch_size: int
    drop_last: bool

    def order(self, epoch: int) -> Array:
        """The sample numbers of an epoch."""
        ...

    def whole(self) -> tuple[Array, Array, Array, Array]:
        """(images, targets, scale, shift)."""
        ...

    def moves(self, epoch: int) -> Array | None:
        """How each picture is moved and mirrored in an epoch: (n, 3), as `gather_augment` takes them."""
        ...


class Data:
    """Samples as the steps gather them, checked."""

    def __init__(
        self,
        net: Network,
        images: Array,
        targets: Array,
        order: Array | None,
        scale: Any,
        shift: Any,
        moves: Array | None = None,
    ) -> None:
        self.net = net
        images = np.asarray(images)
        shape = images.shape[1:]
        if len(images) == 0 or math.prod(shape) != math.prod(net.input_shape):
            raise ShapeError("samples do not fit the network", expected=("n", *net.input_shape), actual=images.shape)
        if images.dtype.kind not in "uif" or not images.dtype.isnative:
            raise DtypeError("samples are whole numbers or floats", actual=images.dtype)
        kept = net.dtype if images.dtype.kind == "f" else images.dtype
        C = shape[0] if len(shape) == 3 else 1
        self.images = np.ascontiguousarray(images, kept).reshape(len(images), C, -1)  # (n, ...) -> (n, C, P)
        self.scale, self.shift = (self._per_channel(name, v, C) for name, v in (("scale", scale), ("shift", shift)))
        self.targets = np.asarray(targets)
        if len(self.targets) != len(images):
            raise ShapeError("as many targets as samples", expected=len(images), actual=len(self.targets))
        order = np.arange(len(images)) if order is None else np.asarray(order)
        if order.ndim != 1 or order.dtype.kind not in "iu":
            raise DtypeError("an order is sample numbers", expected="int64 (steps·batch_size,)", actual=order.dtype)
        require(order.size > 0, "there is no sample in the order")
        low, high = int(order.min()), int(order.max())
        fits = low >= 0 and high < len(images)
        require(fits, "a sample number is out of range", expected=f"0..{len(images) - 1}", actual=f"{low}..{high}")
        self.order = np.ascontiguousarray(order, np.int64)
        self._picture = (1, *shape) if len(shape) == 2 else shape  # (C, H, W), where something moves
        self.moves = None if moves is None else self._moves(np.asarray(moves))

    def batch(self, index: Array) -> Array:
        """x of these samples, (N, *input_shape)."""
        x = np.empty((index.size, *self.images.shape[1:]), self.net.dtype)
        if self.moves is None:
            self.net.k.gather_scale(self.images, index, self.scale, self.shift, x)
        else:
            images, pictures = (a.reshape(-1, *self._picture) for a in (self.images, x))  # (n, C, P) -> (n, C, H, W)
            self.net.k.gather_augment(images, index, self.moves[index], self.scale, self.shift, pictures)
        return x.reshape(index.size, *self.net.input_shape)  # (N, C, P) -> (N, ...)

    def batches(self, size: int) -> Iterator[Array]:
        """The sample numbers of each batch."""
        return (self.order[start : start + size] for start in range(0, self.order.size, size))

    def _moves(self, moves: Array) -> Array:
        expected = len(self.images), 3
        if len(self._picture) != 3 or moves.shape != expected:
            raise ShapeError("moves do not fit the samples", expected=expected, actual=(moves.shape, self._picture))
        if moves.dtype.kind not in "iu":
            raise DtypeError("moves are whole numbers", actual=moves.dtype)
        return moves.astype(np.int64, copy=False)

    def _per_channel(self, what: str, value: Any, channels: int) -> Array:
        array = np.atleast_1d(np.asarray(value, np.float64))
        fits = array.shape in ((1,), (channels,)) and bool(np.isfinite(array).all())
        require(fits, f"{what} is a finite number, or {channels} of them", actual=value)
        return np.array(np.broadcast_to(array, channels), self.net.dtype)
