"""Safetensors files that somebody has tampered with."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import numpy as np

HUGE = (1 << 31, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1, 10**30, -1, 1.5, "1", None, True, [])
NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\x",
    "",
    "\0",
    "__metadata__",
    "0.weight\0",
    "x" * 5000,
    "\ud800",
    "__class__",
)


def mutants(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """So many versions of a file: bits flipped, bytes cut and doubled, sizes that are huge, names that are paths."""
    rng = np.random.default_rng(seed)
    (length,) = struct.unpack("<Q", content[:8])
    for _ in range(count):
        changed = bytearray(content)
        kind = rng.integers(7)
        at = int(rng.integers(len(changed)))
        if kind == 0:  # in the header, mostly
            changed[int(rng.integers(8 + length))] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            changed[at:at] = rng.bytes(int(rng.integers(1, 99)))
        elif kind == 4:
            changed[:8] = struct.pack("<Q", int(rng.choice([0, 1, length + 1, 1 << 24, 1 << 40, (1 << 63) - 1])))
        else:
            changed = _header(content, length, rng)
        yield bytes(changed)


def _header(content: bytes, length: int, rng: np.random.Generator) -> bytearray:
    """Another header before the same data."""
    header = json.loads(content[8 : 8 + length])
    name = str(rng.choice([n for n in header if n != "__metadata__"]))
    entry, how, huge = header[name], rng.integers(6), HUGE[rng.integers(len(HUGE))]
    if how == 0:
        entry["shape"] = [huge] * int(rng.integers(1, 70))
    elif how == 1:
        entry["data_offsets"] = [entry["data_offsets"][0], huge] if rng.random() < 0.5 else [huge, huge]
    elif how == 2:
        header[NAMES[rng.integers(len(NAMES))]] = header.pop(name)
    elif how == 3:
        entry["dtype"] = ("F64", "BF16", "I32", "F8_E4M3", "object", "<f4", huge)[rng.integers(7)]
    elif how == 4:
        header["__metadata__"] = huge if rng.random() < 0.5 else {"SHA-256 of parameters": huge}
    else:
        del entry[str(rng.choice(list(entry)))]
    text = json.dumps(header).encode()
    if how == 2 and rng.random() < 0.5:  # an array twice
        text = text[:-1] + b", " + json.dumps(name).encode() + b": " + json.dumps(entry).encode() + b"}"
    return bytearray(struct.pack("<Q", len(text)) + text + content[8 + length :])
