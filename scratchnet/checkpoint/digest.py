"""The digest of named arrays: one number that says whether two models hold the same parameters, to the bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from scratchnet.core.types import Array


def little(array: Array) -> Array:
    """The array in C order and little endian: the form in which its bytes are hashed and written."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def sha256(array: Array) -> str:
    """SHA-256 of the array's bytes, in hexadecimal."""
    return hashlib.sha256(_data(little(array))).hexdigest()


def digest(arrays: Mapping[str, Array]) -> str:
    """SHA-256, in hexadecimal, over all arrays in the order of their names (by code point).

    Of each are hashed a line "NAME DTYPE SHAPE", such as "0.W <f4 128x784", that ends in a line feed, in UTF-8, and
    its bytes in C order, little endian. The shape of a number without axes is empty.
    """
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = little(arrays[name])
        total.update(f"{name} {array.dtype.str} {'x'.join(map(str, array.shape))}\n".encode())
        total.update(_data(array))
    return total.hexdigest()


def _data(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data  # (...) -> (bytes,)
