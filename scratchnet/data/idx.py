"""The IDX format of the MNIST family: a big-endian header, then unsigned bytes in row-major order.

    0x00 0x00 | type (0x08: unsigned byte) | number of axes | extent of each axis, 4 bytes | elements

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
A reader trusts nothing that the header says before it has met as many bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .errors import DataError
from .files import CHUNK, replacing

UBYTE = 0x08
TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
GZIP_MAGIC = b"\x1f\x8b"
MAX_RATIO = 1032  # deflate writes at most 258 bytes for every 2 bits
MAX_BYTES = 800_000_000  # EMNIST, the longest of the family, has 547 million; reading takes an eighth more
MAX_AXES = 32  # what every supported NumPy can hold

Array = np.ndarray[Any, np.dtype[np.uint8]]


def read_idx(path: str | Path, *, ndim: int | None = None, sha256: str | None = None) -> Array:
    """The array in an IDX file of unsigned bytes, gzip-compressed or plain (told apart by their first bytes).

    Args:
        path: the file.
        ndim: number of axes that it must have: 3 for images (N, H, W), 1 for labels (N,).
        sha256: checksum that the uncompressed content must have.

    Memory grows with the bytes that are really there, never with what the header claims.

    Raises DataError, naming file, expected and actual: no IDX file, other element type or number of axes,
    extents that do not match the bytes present, truncated or corrupt gzip stream, wrong checksum.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            on_disk = raw.seek(0, 2)
            raw.seek(0)
            packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if not packed:
                return _read(raw, path, ndim, sha256, most=on_disk)
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                return _read(unpacked, path, ndim, sha256, most=MAX_RATIO * on_disk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            "the gzip stream is truncated or corrupt",
            where=str(path),
            expected="a complete gzip stream with a matching CRC",
            actual=str(error),
            hint="delete the file and fetch it again",
        ) from error
    except OSError as error:
        raise DataError("the file cannot be read", where=str(path), actual=error.strerror or str(error)) from error


def _read(file: BinaryIO | gzip.GzipFile, path: Path, ndim: int | None, sha256: str | None, most: int) -> Array:
    digest = hashlib.sha256()
    shape, header = _read_header(file, path, ndim)
    digest.update(header)
    declared = math.prod(shape)
    if declared + len(header) > min(most, MAX_BYTES):
        raise DataError(
            "the header declares more than the file can hold",
            where=str(path),
            expected=f"at most {min(most, MAX_BYTES):,} bytes",
            actual=f"extents {shape} = {declared:,} bytes",
            hint="the header is corrupt, or the file is truncated; fetch it again",
        )
    content = bytearray()
    while len(content) <= declared:  # one byte past the declared end: shows what is too long, and meets gzip's CRC
        chunk = file.read(min(CHUNK, declared + 1 - len(content)))
        if not chunk:
            break
        digest.update(chunk)
        content += chunk
    if len(content) != declared:
        raise DataError(
            "the file is longer than its header says" if len(content) > declared else "the file is truncated",
            where=str(path),
            expected=f"{declared:,} bytes for extents {shape}",
            actual="more" if len(content) > declared else f"{len(content):,} bytes",
            hint="fetch the file again",
        )
    check_sha256(path, digest.hexdigest(), sha256, "uncompressed content")
    return np.frombuffer(content, np.uint8).reshape(shape)  # (N*H*W,) -> (N, H, W)


def _read_header(file: BinaryIO | gzip.GzipFile, path: Path, ndim: int | None) -> tuple[tuple[int, ...], bytes]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise DataError(
            "not an IDX file",
            where=str(path),
            expected="first bytes 00 00 08 and the number of axes",
            actual=magic.hex(" ") or "an empty file",
            hint="give the file as published, plain or gzip-compressed",
        )
    if magic[2] != UBYTE:
        raise DataError(
            "wrong element type",
            where=str(path),
            expected="0x08 (uint8)",
            actual=f"{magic[2]:#04x} ({TYPES[magic[2]]})",
        )
    axes = magic[3]
    if not 1 <= axes <= MAX_AXES or axes != (axes if ndim is None else ndim):
        raise DataError(
            "wrong number of axes",
            where=str(path),
            expected=f"1 to {MAX_AXES}" if ndim is None else ndim,
            actual=axes,
            hint="images have 3 axes (N, H, W), labels 1; were the two files swapped?",
        )
    extents = file.read(4 * axes)
    if len(extents) < 4 * axes:
        raise DataError(
            "the file ends within its header",
            where=str(path),
            expected=f"{4 + 4 * axes} bytes of header",
            actual=f"{4 + len(extents)} bytes",
        )
    return struct.unpack(f">{axes}I", extents), magic + extents


def check_sha256(path: Path, actual: str, expected: str | None, of: str) -> None:
    """Raise DataError if a checksum is known and is not the actual one."""
    if expected is not None and actual != expected:
        raise DataError(
            f"wrong checksum (SHA-256 of the {of})",
            where=str(path),
            expected=expected,
            actual=actual,
            hint="the file is corrupt or is another data set; delete it and fetch it again",
        )


def write_idx(path: str | Path, array: Any) -> None:
    """Write unsigned bytes (N, ...) as an IDX file, gzip-compressed if the name ends in .gz.

    The file appears complete or not at all. Same array, same bytes: no time stamp is stored.

    Raises DataError for another element type, for no axes or more than 32.
    """
    path, array = Path(path), np.asarray(array)
    if array.dtype != np.uint8 or not 1 <= array.ndim <= MAX_AXES:
        raise DataError(
            "only arrays of unsigned bytes can be written",
            where=str(path),
            expected=f"uint8 with 1 to {MAX_AXES} axes",
            actual=f"{array.dtype} of shape {array.shape}",
        )
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UBYTE, array.ndim, *array.shape)
    with replacing(path) as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                packed.write(header)
                packed.write(np.ascontiguousarray(array).data)
        else:
            file.write(header)
            file.write(np.ascontiguousarray(array).data)
