"""Augmentation: every picture of an epoch moved by a few pixels, and mirrored or not."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from scratchnet.core.layer import source, whole

from .errors import DataError
from .split import Array, Split

KEY = zlib.crc32(b"augment")
AT_ONCE = 1024  # samples whose moves are drawn at once, so that no large array is made


@dataclass(frozen=True, repr=False)
class Augment:
    """Move each picture by up to `shift` pixels down or up and right or left, and mirror it with probability 1/2.

        Batches(data.train, 128, augment=Augment(2))

    Displacements are whole and uniform in -shift..shift, apart for the two axes, and new each epoch. What comes in from
    outside is a raw pixel of 0 (the op `gather_augment` has the formula), as in a random crop after zero padding.

    Args:
        shift: the largest displacement in pixels, 0 or more.
        flip: whether half of the pictures are mirrored, left to right. Not for digits and letters.

    Raises DataError: a shift that is no whole number, a flip that is neither True nor False.
    """

    shift: int = 2
    flip: bool = False

    def __post_init__(self) -> None:
        if not whole(self.shift, least=0):
            expected = "a whole number of pixels, 0 or more"
            raise DataError("wrong setting", where="Augment's shift", expected=expected, actual=repr(self.shift))
        if not isinstance(self.flip, bool):
            raise DataError("wrong setting", where="Augment's flip", expected="True or False", actual=repr(self.flip))

    def __repr__(self) -> str:
        return source(self)

    def admit(self, split: Split) -> None:
        """Raise DataError unless the samples are pictures larger than the displacement."""
        shape, where = split.sample_shape, f"{split.name} split, {self!r}"
        if len(shape) != 3:
            raise DataError(
                "only pictures are moved and mirrored",
                where=where,
                expected="samples of shape (C, H, W)",
                actual=shape,
                hint="give the split its pictures; Batches(..., flatten=True) makes vectors of them afterwards",
            )
        if self.shift >= min(shape[1:]):
            raise DataError(
                "a picture could be moved out of sight",
                where=where,
                expected=f"shift < {min(shape[1:])}, the shorter side",
                actual=self.shift,
            )

    def draw(self, seed: int, epoch: int, move: Array) -> None:
        """Fill move, int64 (N, 3), with (down, right, mirror) of every sample in that epoch.

        Row i depends on seed, epoch and i alone: not on batches, their order, or how many samples come after.
        """
        rng, places = np.random.Generator(np.random.PCG64([seed, KEY, epoch])), 2 * self.shift + 1
        for start in range(0, len(move), AT_ONCE):
            part = move[start : start + AT_ONCE]
            drawn = rng.integers(0, 2 * places**2, len(part))  # one number a sample, taken apart
            part[:, 0], part[:, 1] = drawn // (2 * places) - self.shift, drawn // 2 % places - self.shift
            part[:, 2] = drawn % 2 if self.flip else 0
