"""The header of a checkpoint's file: what it says lies in the file, held against what does.

Nothing that it says is trusted before the file has shown as many bytes, and no name stands twice.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scratchnet.core.layer import whole
from scratchnet.core.types import DType

from .errors import CheckpointError, DamagedError
from .source import short

FORMAT, VERSION = "scratchnet.checkpoint", "1"
LONGEST = 1 << 24  # bytes of a header; JSON of this length takes some hundred megabytes of memory at most
KINDS = {name: np.dtype(code) for name, code in {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}.items()}  # fmt: skip
CODES = {kind: name for name, kind in KINDS.items()}


Entry = tuple[DType, tuple[int, ...], int, int]
"""An array's element type, shape, first byte and last byte + 1."""

Entries = dict[str, Entry]


def layout_of(file: BinaryIO, path: Path, kinds: Mapping[str, DType] = KINDS) -> tuple[Entries, Any, int]:
    """Of any safetensors file: (entries, "__metadata__", the first byte of data), held against the file's length."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(LONGEST, size - 8):
        most = min(LONGEST, max(size - 8, 0))
        raise damaged(path, f"a header of at most {most:,} bytes", f"{length:,} bytes declared, {size:,} in the file")
    header = _object(file.read(length), path, "the header")
    told = header.pop("__metadata__", None)
    entries: Entries = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _offsets(item[1])):
        entries[name] = _entry(path, name, entry, end, kinds)
        end = entries[name][3]
    if 8 + length + end != size:
        raise damaged(path, f"{8 + length + end:,} bytes", f"{size:,} bytes")
    return entries, told, 8 + length


def header_of(file: BinaryIO, path: Path) -> tuple[Entries, dict[str, Any], int]:
    """Of a checkpoint: (entries, manifest, the first byte of data)."""
    entries, told, begin = layout_of(file, path)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise damaged(path, "a checkpoint of scratchnet", "a file of another kind")
    if told.get("version") != VERSION:
        raise CheckpointError(
            "the checkpoint is of another version",
            where=str(path),
            expected=VERSION,
            actual=short(told.get("version")),
            hint="a newer scratchnet wrote it",
        )
    text = told.get("manifest")
    if not isinstance(text, str) or sha256_of_text(text) != told.get("sha256"):
        raise damaged(path, f"a manifest of SHA-256 {short(told.get('sha256'))}", "another one")
    return entries, _object(text.encode(), path, "the manifest"), begin


def _offsets(entry: Any) -> tuple[int, int]:
    """Where an array lies, for sorting; (-1, -1) where that is no place."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    fits = isinstance(offsets, list) and len(offsets) == 2 and all(whole(n, least=0) for n in offsets)
    return (offsets[0], offsets[1]) if fits and offsets else (-1, -1)


def _entry(path: Path, name: str, entry: Any, end: int, kinds: Mapping[str, DType]) -> Entry:
    """The array's element type, shape and place, which begins where the one before ends."""
    start, stop = _offsets(entry)
    kind = kinds.get(entry.get("dtype")) if start >= 0 and isinstance(entry.get("dtype"), str) else None
    shape = entry.get("shape") if kind is not None else None
    if kind is None or not isinstance(shape, list) or len(shape) > 32 or not all(whole(n, least=0) for n in shape):
        raise damaged(path, "dtype, shape and data_offsets of an array", f"{short(name)}: {short(entry)}")
    if start != end or stop - start != math.prod(shape) * kind.itemsize:
        expected = f"{short(name)} from byte {end} on, {kind} of shape {short(shape)}"
        raise damaged(path, expected, f"bytes {start} to {stop}")
    return kind, tuple(shape), start, stop


def _object(text: bytes, path: Path, what: str) -> dict[str, Any]:
    """The JSON object in a text, no name of which stands twice."""
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"JSON in {what}", short(str(error))) from error
    if not isinstance(found, dict):
        raise damaged(path, f"an object in {what}", type(found).__name__)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def sha256_of_text(text: str) -> str:
    """In hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def damaged(path: Path, expected: str, actual: str) -> DamagedError:
    """The error of a file that is not what was written."""
    return DamagedError("the file is no whole checkpoint", where=str(path), expected=expected, actual=actual)
