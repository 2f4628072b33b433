"""Text to arrays."""

from __future__ import annotations

import base64
import hashlib
import math
import zlib

import numpy as np

from .array import Array


def unpack(text: str, shape: tuple[int, ...], dtype: str, sha256: str) -> Array:
    """The array of base85 text of compressed bytes that are sorted by their place in a number."""
    size, itemsize = math.prod(shape) * np.dtype(dtype).itemsize, np.dtype(dtype).itemsize
    sorted_bytes = zlib.decompressobj().decompress(base64.b85decode("".join(text.split())), size + 1)
    if len(sorted_bytes) != size:
        raise ValueError(f"an array of {shape} {dtype} has {size} bytes, not {len(sorted_bytes)}: the file is damaged")
    raw = np.frombuffer(sorted_bytes, np.uint8).reshape(itemsize, -1).T.tobytes()
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise ValueError("the numbers are not those that were exported: the file is damaged")
    return np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
