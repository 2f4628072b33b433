"""A checkpoint's file: a safetensors file whose metadata holds a manifest and the hashes of everything.

    8 bytes       the length of the header, little endian
    header        JSON: "__metadata__" (texts by name), then {"dtype", "shape", "data_offsets"} for each array
    data          the arrays, little endian, in C order, one behind the other

The metadata are `format`, `version`, `manifest` (JSON) and `sha256`, that of the manifest's text. The manifest's own
`sha256` has the digest (digest.py) of each array. Other readers of safetensors see a file of arrays.
Source: the format as published at https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scratchnet.core.types import Array
from scratchnet.data.files import replacing

from .digest import digest, little
from .errors import CheckpointError, DamagedError
from .header import CODES, FORMAT, KINDS, VERSION, Entry, damaged, header_of, sha256_of_text
from .source import short


def write(path: str | Path, arrays: Mapping[str, Array], manifest: Mapping[str, Any]) -> None:
    """Write the file as a whole or not at all: when this returns it is on the disk, under its name.

    Raises CheckpointError: the reason of the system, an element type or a manifest that the format has no word for.
    What was there before stays then.
    """
    path = Path(path)
    hashes = {name: digest({name: array}) for name, array in arrays.items()}
    try:
        text = json.dumps({**manifest, "sha256": hashes}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError("the manifest is no JSON", where=str(path), actual=str(error)) from error
    told = {"format": FORMAT, "version": VERSION, "manifest": text, "sha256": sha256_of_text(text)}
    try:
        write_arrays(path, arrays, told)
    except OSError as error:
        raise CheckpointError(
            "the checkpoint cannot be written",
            where=str(path),
            actual=error.strerror or str(error),
            hint="what was there before is as it was; make room, or name a folder that can be written to",
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, Array], told: Mapping[str, str]) -> None:
    """Any safetensors file, with `told` as its metadata. Raises OSError, and CheckpointError for an element type."""
    kept = {name: little(array) for name, array in arrays.items()}
    order = sorted(kept, key=lambda name: (-kept[name].itemsize, name))  # so that each lies on a multiple of its width
    entries: dict[str, Any] = {}
    end = 0
    for name in order:
        start, end = end, end + kept[name].nbytes
        entries[name] = {"dtype": _code(name, kept[name]), "shape": kept[name].shape, "data_offsets": [start, end]}
    header = json.dumps({"__metadata__": told, **entries}).encode("ascii")
    header += b" " * (-len(header) % 8)
    with replacing(path) as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for name in order:
            file.write(kept[name].reshape(-1).view(np.uint8).data)  # (...) -> (bytes,)
    _sync_folder(path.parent)


def read(path: str | Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """(arrays, manifest) of a file, every hash of which is right.

    Memory grows with the bytes that are really there, never with what the header claims.

    Raises CheckpointError where the file cannot be opened or is of another version, DamagedError where it is no
    checkpoint, or not the one that was written.
    """
    path = Path(path)
    with opened(path) as file:
        entries, manifest, begin = header_of(file, path)
        arrays = {name: array_at(file, path, entry, begin) for name, entry in entries.items()}
    hashes = manifest.pop("sha256", None)
    if not isinstance(hashes, dict) or hashes.keys() != arrays.keys():
        raise damaged(path, "a hash for each array", "others")
    for name, array in arrays.items():
        if digest({name: array}) != hashes[name]:
            raise DamagedError(
                "an array is not the one that was written",
                where=f"{path}: {name}",
                expected=f"SHA-256 {short(hashes[name])}",
                actual=digest({name: array}),
                hint="the file has been altered since; take another checkpoint",
            )
    return arrays, manifest


def array_at(file: BinaryIO, path: Path, entry: Entry, begin: int) -> Array:
    """One array of a file whose data begin at `begin`."""
    kind, shape, start, stop = entry
    content = np.empty((stop - start) // kind.itemsize, kind)
    file.seek(begin + start)
    if file.readinto(content.view(np.uint8).data) != stop - start:  # type: ignore[attr-defined]
        raise DamagedError("the file became shorter while it was read", where=str(path))
    try:
        return content.reshape(shape)
    except ValueError as error:  # such as 0 elements in a shape beyond all bounds
        raise damaged(path, "a shape", short(shape)) from error


def read_manifest(path: str | Path) -> dict[str, Any]:
    """The manifest alone, whose own hash is right; of the arrays nothing is read. Raises what `read` raises."""
    path = Path(path)
    with opened(path) as file:
        _, manifest, _ = header_of(file, path)
    manifest.pop("sha256", None)
    return manifest


def opened(path: Path) -> BinaryIO:
    """A file to read, and nothing else that has a path."""
    try:
        if stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for its other end
            return path.open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CheckpointError("the checkpoint cannot be read", where=str(path), actual=reason) from error
    raise damaged(path, "a file", "a folder, a pipe or a device")


def _sync_folder(folder: Path) -> None:
    """Bring the folder's list of names to the disk."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _code(name: str, array: Array) -> str:
    if array.dtype not in CODES:
        raise CheckpointError("no element type for a file", where=name, expected=", ".join(KINDS), actual=array.dtype)
    return CODES[array.dtype]
