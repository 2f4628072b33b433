"""Arrays as Python source: numbers to read, or packed text. And back, without running any of it."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import zlib
from collections.abc import Sequence

import numpy as np

from scratchnet.core.types import Array, Shape

from ..errors import ExportError

PER_LINE = {"float32": 7, "float64": 4}
"""Numbers a line: a fixed count, so that a changed number changes one line."""

NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?")
COLUMNS = 115  # of packed text: each line is 92 bytes by itself
AT_ONCE = 1000  # lines of it


def literal(name: str, array: Array) -> list[str]:
    """`name = np.array([...])`, each row of the first axis from a new line, each number as short as it can be."""
    rows = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(1, -1)
    return [*_opening(name), *_rows(rows), *_closing(array.shape, array.dtype.name)]


def _opening(name: str) -> list[str]:
    return ["# fmt: off", f"{name} = np.array(["]


def _closing(shape: Shape, dtype: str) -> list[str]:
    reshaped = f".reshape({', '.join(map(str, shape))})" if len(shape) > 1 else ""
    return [f'], dtype="{dtype}"){reshaped}', "# fmt: on"]


def _rows(rows: Array) -> list[str]:
    texts = shortest(rows.reshape(-1))
    count, width = PER_LINE[rows.dtype.name], rows.shape[1]
    starts = (range(row, row + width, count) for row in range(0, len(texts), max(width, 1)))
    return [
        "    " + ", ".join(texts[start : min(start + count, row.start + width)]) + ","
        for row in starts
        for start in row
    ]


def shortest(flat: Array) -> list[str]:
    """The shortest decimals that give the same bits: as float64, then cast, which is how Python reads them.

    A decimal in the middle between two float32 may be cast to the wrong one; such a number gets all its digits.
    """
    texts = [str(number) for number in flat.tolist()] if flat.dtype == np.float64 else list(map(str, flat))
    read = np.array(texts, dtype=np.float64).astype(flat.dtype)
    for at in np.flatnonzero(read.view(f"u{flat.itemsize}") != flat.view(f"u{flat.itemsize}")):
        texts[at] = repr(float(flat[at]))
    return texts


def read_literal(lines: Sequence[str], at: int, name: str, shape: Shape, dtype: str) -> tuple[Array, int]:
    """The array that `literal` wrote, and the line after it. Each line must be as `literal` writes it."""
    opening, closing = _opening(name), _closing(shape, dtype)
    if list(lines[at : at + len(opening)]) != opening:
        raise ExportError(f"{name} is not written as expected", where=f"line {at + 1}", expected=opening[1])
    width = math.prod(shape[1:]) if len(shape) > 1 else math.prod(shape)
    rows, count = math.prod(shape) // max(width, 1), PER_LINE[dtype]
    at, parts = at + len(opening), []
    for _ in range(rows):
        for start in range(0, width, count):
            line = lines[at] if at < len(lines) else ""
            texts = line[4:-1].split(", ")
            known = line[:4] == "    " and line[-1:] == "," and all(map(NUMBER.fullmatch, texts))
            if not known or len(texts) != min(count, width - start):
                raise ExportError(
                    f"a line of {name} that holds no numbers", where=f"line {at + 1}", actual=repr(line[:60])
                )
            parts.append(np.array(texts, dtype=np.float64))
            at += 1
    if list(lines[at : at + len(closing)]) != closing:
        raise ExportError(f"{name} does not end as expected", where=f"line {at + 1}", expected=closing[0])
    whole = np.concatenate(parts) if parts else np.zeros(0)
    with np.errstate(over="ignore"):
        array = whole.astype(dtype).reshape(shape)
    if not np.isfinite(array).all():
        raise ExportError(f"{name} holds a number that is too large for {dtype}", where=f"before line {at + 1}")
    return array, at + len(closing)


def packed(name: str, array: Array) -> list[str]:
    """`name = unpack(...)`: bytes in the order of their significance, zlib, base85; with shape, type and hash."""
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    shuffled = np.frombuffer(raw, np.uint8).reshape(-1, array.itemsize).T.tobytes()
    text = base64.b85encode(zlib.compress(shuffled, 6)).decode("ascii")
    lines = [text[start : start + COLUMNS] for start in range(0, len(text), COLUMNS)]
    return [f"{name} = unpack(", '    """', *lines, '""",', *_ending(array.shape, array.dtype.name, raw)]


def _ending(shape: Shape, dtype: str, raw: bytes) -> list[str]:
    comma = "," if len(shape) == 1 else ""
    return [
        f"    ({', '.join(map(str, shape))}{comma}),",
        f'    "{dtype}",',
        f'    "{hashlib.sha256(raw).hexdigest()}",',
        ")",
    ]


def read_packed(lines: Sequence[str], at: int, name: str, shape: Shape, dtype: str) -> tuple[Array, int]:
    """The array that `packed` wrote, and the line after it; nothing larger than its shape is unpacked."""
    where, start = f"line {at + 1}", at + 2
    if list(lines[at:start]) != [f"{name} = unpack(", '    """']:
        raise ExportError(f"{name} is not written as expected", where=where, expected=f"{name} = unpack(")
    end = next((end for end in range(start, len(lines)) if lines[end] == '""",'), start)
    if any(len(line) != COLUMNS for line in lines[start : end - 1]) or not 0 < len(lines[end - 1]) <= COLUMNS:
        raise ExportError(f"the text of {name} has no end, or lines of another length", where=where)
    itemsize = np.dtype(dtype).itemsize
    size = math.prod(shape) * itemsize
    unpacker, shuffled = zlib.decompressobj(), bytearray()
    try:
        for first in range(start, end, AT_ONCE):
            piece = base64.b85decode("".join(lines[first : min(first + AT_ONCE, end)]))
            shuffled += unpacker.decompress(unpacker.unconsumed_tail + piece, size + 1 - len(shuffled))
            if len(shuffled) > size:
                break
    except (ValueError, zlib.error) as error:
        raise ExportError(f"the text of {name} is damaged", where=where, actual=str(error)) from None
    if len(shuffled) != size or not unpacker.eof or unpacker.unused_data:
        raise ExportError(f"{name} does not hold {size:,} bytes", where=where)
    raw = np.frombuffer(shuffled, np.uint8).reshape(itemsize, -1).T.tobytes()
    ending = _ending(shape, dtype, raw)
    if list(lines[end + 1 : end + 1 + len(ending)]) != ending:
        raise ExportError(f"{name} is not what its shape, type and hash say", where=f"line {end + 2}")
    array = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
    return array, end + 1 + len(ending)
