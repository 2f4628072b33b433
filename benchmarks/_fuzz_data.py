"""The readers of data sets, IDX and CIFAR-10, and their files."""

from __future__ import annotations

import gzip
import random
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.data import read_idx, write_idx
from scratchnet.data.cifar import CLASSES, NAMES, RECORD, TEST, TRAIN, read_cifar10


def idx_files() -> dict[str, bytes]:
    """Images, plain; labels, plain; images, packed; and a bomb: little that unpacks to much."""
    rng, made = np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, array in (("images", rng.integers(0, 256, (5, 4, 3))), ("labels", rng.integers(0, 9, 20))):
            for suffix in ("", ".gz"):
                write_idx(Path(folder, name + suffix), array.astype(np.uint8))
                made[name + suffix] = Path(folder, name + suffix).read_bytes()
    made["bomb.gz"] = gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, 1 << 20) + bytes(1 << 20), mtime=0)
    return made


def unpacked(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """What is packed, altered before it is packed, so that gzip's own checksum is right."""
    if content[:2] != b"\x1f\x8b":
        return content[: draw.randrange(16)] + draw.randbytes(4) + content[16:], True
    plain = bytearray(gzip.decompress(content))
    at = draw.randrange(min(20, len(plain)))
    plain[at : at + 1] = draw.choice((b"\xff", b"\0", draw.randbytes(4)))
    return gzip.compress(bytes(plain), 1), True


def read_array(path: Path) -> Any:
    """Shape and bytes."""
    array = read_idx(path)
    return array.shape, hash(array.tobytes())


def cifar_files() -> dict[str, bytes]:
    """One file of pictures, and the names; the others lie beside them (read_cifar)."""
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (3, RECORD), np.uint8)
    records[:, 0] = [0, 4, 9]
    return {TRAIN[1]: records.tobytes(), NAMES: "\n".join(f"class {i}" for i in range(CLASSES)).encode()}


def read_cifar(path: Path) -> Any:
    """The folder, in which the file that is tried takes its place."""
    sound = cifar_files()
    for name in (*TRAIN, *TEST, NAMES):
        if name != path.name:
            path.with_name(name).write_bytes(sound[NAMES if name == NAMES else TRAIN[1]])
    (x, y), (test_x, test_y), names = read_cifar10(path.parent)
    return hash(x.tobytes()), hash(y.tobytes()), hash(test_x.tobytes()), hash(test_y.tobytes()), names
