"""What an emitted module reads: x as a user has it, and files of pictures."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from .array import Array


def as_input(x: Array, shape: tuple[int, ...], dtype: str, scale: float) -> Array:
    """x as (N, *shape) in the network's type. uint8 are pixels: they are multiplied by `scale`."""
    x = np.asarray(x)
    if x.ndim == 0 or math.prod(x.shape[1:]) != math.prod(shape):
        raise ValueError(f"x has the wrong shape: expected (N, {', '.join(map(str, shape))}), got {x.shape}")
    if x.dtype.kind != "f" and x.dtype != np.uint8:
        raise TypeError(f"x holds {x.dtype}: expected floats, or uint8 for pixels")
    pixels = x.dtype == np.uint8
    x = x.reshape(len(x), *shape).astype(dtype)
    return x * x.dtype.type(scale) if pixels else x


def as_index(x: Array, shape: tuple[int, ...]) -> Array:
    """x as (N, *shape) whole numbers."""
    x = np.asarray(x)
    if x.shape[1:] != shape:
        raise ValueError(f"x has the wrong shape: expected (N, {', '.join(map(str, shape))}), got {x.shape}")
    if x.dtype.kind not in "iu":
        raise TypeError(f"x holds {x.dtype}: expected whole numbers")
    return x


def read(path: str) -> Array:
    """What an IDX (also .gz), NPY or PNG file holds; of a PNG, one picture: (1, 1, H, W), or (1, 3, H, W)."""
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if content[:6] == b"\x93NUMPY":
        return np.load(io.BytesIO(content), allow_pickle=False)
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return read_png(content)
    if content[:2] == b"\0\0" and len(content) >= 4:
        return read_idx(content)
    raise ValueError("no IDX, NPY or PNG file")


def read_idx(content: bytes) -> Array:
    """The array of an IDX file: two zeros, a type, the number of axes, the extents, the numbers."""
    types = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    start = 4 + 4 * content[3]
    if content[2] not in types or len(content) < start:
        raise ValueError("no IDX file: its header is wrong")
    dtype, shape = np.dtype(types[content[2]]), struct.unpack(f">{content[3]}I", content[4:start])
    if len(content) - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an IDX file of {shape} {dtype}, but of {len(content) - start} bytes")
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


def read_png(content: bytes) -> Array:
    """The picture of a PNG of 8 bits a channel, grey or RGB, not interlaced."""
    at, data, header, kind = 8, b"", b"", b""
    while kind != b"IEND":
        if at + 12 > len(content):
            raise ValueError("a damaged PNG: it is cut short")
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body, at = content[at + 8 : at + 8 + length], at + 12 + length
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            data += body
    if len(header) != 13 or header[8] != 8 or header[9] not in (0, 2) or header[12] != 0:
        raise ValueError("a PNG of another kind: expected 8 bits a channel, grey or RGB, not interlaced")
    width, height = struct.unpack(">II", header[:8])
    channels = 1 if header[9] == 0 else 3
    row = width * channels
    if not 0 < height * (row + 1) <= 2**28:
        raise ValueError(f"a PNG of {width} x {height} pixels: too large")
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(data, height * (row + 1))
    except zlib.error as error:
        raise ValueError(f"a damaged PNG: {error}") from None
    if len(raw) != height * (row + 1):
        raise ValueError("a damaged PNG: its picture is cut short")
    lines = np.frombuffer(raw, np.uint8).reshape(height, row + 1)
    above = [0] * row
    picture = []
    for line in lines:
        above = unfiltered(int(line[0]), line[1:].tolist(), above, channels)
        picture.append(above)
    found = np.array(picture, np.uint8).reshape(height, width, channels)
    return found.transpose(2, 0, 1)[None]  # (H, W, C) -> (1, C, H, W)


def unfiltered(kind: int, line: list[int], above: list[int], channels: int) -> list[int]:
    """A row of a PNG, of which each byte was written as its difference from a guess by its neighbours."""
    if kind > 4:
        raise ValueError("a damaged PNG: a row has an unknown filter")
    for i in range(len(line)):
        a, b = line[i - channels] if i >= channels else 0, above[i]
        c = above[i - channels] if i >= channels else 0
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
    return line
