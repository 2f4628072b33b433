"""Minibatches: shuffled, gathered, scaled and moved in one pass into memory that is lent, not allocated."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from scratchnet.core.layer import whole
from scratchnet_kernels.backend import Backend, get_backend

from .augment import Augment
from .errors import DataError
from .ring import Ring
from .split import Array, Split

PerChannel = float | tuple[float, ...]
KEY = zlib.crc32(b"shuffle")


class Batches:
    """The minibatches of a split, epoch by epoch.

        for x, y in batches.epoch(3): ...

    x = scale · images + shift, per channel, of shape (n, C, H, W), or (n, C*H*W) with flatten (plain vectors stay
    (n, D)); y int64 (n,). x and y are leased: they stay as they are while you hold them or any view of them, and
    their memory serves a later batch once you do not.

    Args:
        split: the samples.
        batch_size: samples in a batch; the last batch of an epoch holds what is left.
        shuffle: a new order each epoch, which depends on (seed, epoch) alone; else the split's own order.
        seed: of the shuffling, 0 or more.
        scale, shift: a number, or a tuple with one for each channel.
        dtype: of x: "float32" or "float64".
        flatten: one axis for a sample.
        drop_last: leave a last batch with fewer samples out.
        augment: how pictures are moved and mirrored, anew each epoch: a sample's move depends on (seed, epoch) and the
            sample alone.
        backend: whose kernels gather.

    Raises DataError: batch_size < 1, no batch in an epoch, scale or shift not finite or of the wrong length,
    another dtype; augment for samples that are no pictures, or no larger than it moves them.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        scale: PerChannel = 1 / 255,
        shift: PerChannel = 0.0,
        dtype: str = "float32",
        flatten: bool = False,
        drop_last: bool = False,
        augment: Augment | None = None,
        backend: str | Backend = "cpu",
    ) -> None:
        if not whole(batch_size) or not whole(seed, least=0):
            expected, actual = "whole numbers, batch_size >= 1, seed >= 0", f"batch_size={batch_size}, seed={seed}"
            raise DataError("batches cannot be made", where=f"{split.name} split", expected=expected, actual=actual)
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise DataError("wrong element type", where="batches", expected="float32 or float64", actual=dtype)
        self.split, self.batch_size, self.shuffle, self.seed = split, batch_size, shuffle, seed
        self.dtype, self.flatten, self.drop_last = np.dtype(dtype), flatten, drop_last
        if augment is not None:
            if not isinstance(augment, Augment):
                expected, actual = "Augment(...) or None", repr(augment)
                raise DataError("wrong augmentation", where="batches", expected=expected, actual=actual)
            augment.admit(split)
        self.augment = augment
        n, shape = len(split), split.sample_shape
        self._count = n // batch_size if drop_last else math.ceil(n / batch_size)
        if self._count == 0:
            raise DataError(
                "an epoch would have no batch",
                where=f"{split.name} split",
                expected=f"at least {batch_size} samples",
                actual=n,
                hint="take a smaller batch_size, or drop_last=False",
            )
        channels = shape[0] if len(shape) == 3 else 1
        self._shape = (math.prod(shape),) if flatten else shape
        self._scale = self._per_channel("scale", scale, channels)
        self._shift = self._per_channel("shift", shift, channels)
        self._images = np.ascontiguousarray(split.x, _stored(split.x.dtype)).reshape(n, channels, -1)  # -> (N, C, P)
        self._k = (get_backend(backend) if isinstance(backend, str) else backend).table()
        largest = min(batch_size, n)
        self._ring = Ring(largest * math.prod(shape) * self.dtype.itemsize)
        self._label_ring = Ring(largest * 8)
        self._order_ring = Ring(n * 8, keep=2)
        self._move_ring, self._moves_ring = Ring(largest * 24), Ring(n * 24, keep=2)  # of a batch, of all samples
        self._in_order = np.arange(n)

    def __len__(self) -> int:
        return self._count

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Array, Array]]:
        """The batches of an epoch from the one numbered `start` on; start = len(self) gives none.

        Raises DataError for an epoch or a start out of range, at the call.
        """
        if not whole(epoch, least=0) or not whole(start, least=0) or start > len(self):
            raise DataError(
                "no such batch",
                where=f"{self.split.name} split",
                expected=f"epoch >= 0, start in 0..{len(self)}",
                actual=(epoch, start),
            )
        return self._iterate(self._order(epoch), self._moves(epoch), start)

    def order(self, epoch: int) -> Array:
        """The split's sample numbers in the order in which the epoch takes them: int64 (N,)."""
        return self._order(epoch).copy()

    def moves(self, epoch: int) -> Array | None:
        """(down, right, mirror) of every sample in that epoch, in the split's order: int64 (N, 3), or None."""
        moves = self._moves(epoch)
        return None if moves is None else moves.copy()

    def whole(self) -> tuple[Array, Array, Array, Array]:
        """(images (n, ...) as stored, targets, scale, shift): what a compiled step gathers batches from by itself.

        The images as they are: how `augment` moves them is in `moves`.
        """
        images = self._images.reshape(len(self.split), *self.split.sample_shape)
        return images, self.split.y, self._scale, self._shift

    def _order(self, epoch: int) -> Array:
        if not self.shuffle:
            return self._in_order
        order = self._order_ring.take((len(self.split),), np.int64)
        np.copyto(order, self._in_order)
        np.random.Generator(np.random.PCG64([self.seed, KEY, epoch])).shuffle(order)
        return order

    def _moves(self, epoch: int) -> Array | None:
        if self.augment is None:
            return None
        moves = self._moves_ring.take((len(self.split), 3), np.int64)
        self.augment.draw(self.seed, epoch, moves)
        return moves

    def _iterate(self, order: Array, moves: Array | None, start: int) -> Iterator[tuple[Array, Array]]:
        for b in range(start, len(self)):  # and hold no view of what is given out
            yield self._gather(order[b * self.batch_size : (b + 1) * self.batch_size], moves)

    def _gather(self, index: Array, moves: Array | None) -> tuple[Array, Array]:
        n, (_, channels, pixels) = index.size, self._images.shape
        x = self._ring.take((n, channels, pixels), self.dtype)
        if moves is None:
            self._k.gather_scale(self._images, index, self._scale, self._shift, x)
        else:
            move = self._move_ring.take((n, 3), np.int64)
            np.take(moves, index, axis=0, out=move, mode="clip")
            images, pictures = (a.reshape(-1, *self.split.sample_shape) for a in (self._images, x))  # (n, C, H, W)
            self._k.gather_augment(images, index, move, self._scale, self._shift, pictures)
        y = self._label_ring.take((n,), np.int64)
        self.split.y.take(index, out=y, mode="clip")  # the mode that needs no buffer; no index is out of range
        return x.reshape(n, *self._shape), y  # (n, C, P) -> (n, ...)

    def _per_channel(self, what: str, value: PerChannel, channels: int) -> Array:
        array = np.atleast_1d(np.asarray(value, np.float64))
        if array.shape not in ((1,), (channels,)) or not np.isfinite(array).all():
            raise DataError(
                f"wrong {what}",
                where=f"{self.split.name} split",
                expected=f"a finite number, or {channels} of them",
                actual=value,
            )
        return np.array(np.broadcast_to(array, channels), self.dtype)


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The element type in which samples are kept: one that kernels read, no narrower unless there is none as wide."""
    if dtype == np.uint8:
        return np.dtype(np.uint8)
    return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)  # and in the machine's byte order
