"""Mutated files into every reader: refused by a ScratchnetError, or read as they were; never a crash, a hang, or 1 GB.

    python benchmarks/fuzz_readers.py [--files 100000] [--seed 0] [READER ...]

Bits are flipped, pieces cut, doubled and inserted, sizes declared that are not there. Half of a checkpoint's mutations
are of its header or manifest: hostile values anywhere in them, names twice, and in most of them the hash made right
again, so that what lies behind it is tried too. Every reader runs in a process with 1 GiB of memory beyond its own
(RLIMIT_AS) and 10 s a file. Exit code 1, and the file's number, at the first that ends otherwise.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import struct
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from _fuzz import Reader, fuzz

from scratchnet import Adam, BatchNorm1d, Dense, MultiHeadAttention, Network, QueryMemory, ReLU
from scratchnet.checkpoint import Checkpoint, Checkpointer, digest
from scratchnet.checkpoint.header import sha256_of_text
from scratchnet.data import read_idx, write_idx
from scratchnet.data.cifar import CLASSES, NAMES, RECORD, TEST, TRAIN, read_cifar10

HOSTILE: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1,
        2.5,
        1 << 31,
        1 << 63,
        10**30,
        1e308,
        "",
        "x",
        [],
        {},
        [[]],
        "../../etc/passwd",
        "/dev/zero",
    ),
    *("Dense(1000000000)", "Dense(3).__class__", "__import__('os').system('true')", "(" * 10_000, [1 << 40, 1 << 40]),
    *(
        {"$array": "0.W"},
        {"$array": "none"},
        {"$generator": {}},
        {"$float": "x"},
        {"$generator": {"bit_generator": "x"}},
    ),
    *([0] * 40, {"a": 1}, "object", "float16", "\0", "é", "\ud800", [1, 2, 3], [1, 2, 3, 4]),
)


def checkpoints() -> dict[str, bytes]:
    """A network with all that belongs to its training, and one of structured inputs."""
    made = {}
    for name, net in (
        ("mlp.safetensors", Network([Dense(4), BatchNorm1d(), ReLU(), Dense(3)], (5,), backend="reference")),
        ("attention.safetensors", Network([MultiHeadAttention(2)], QueryMemory((3, 4), (5, 4)), backend="reference")),
    ):
        net.optimizer_state(Adam()).steps = 7
        with tempfile.TemporaryDirectory() as folder:
            saver = Checkpointer(folder, best={"loss": "min"})
            kept = {"rng": np.random.default_rng(0), "counts": {"matrix": np.eye(3), "big": 1 << 1200, "none": None}}
            path = saver.save(saver.begin(net, settings={"lr": 0.1}), {"loss": 1.5}, {"data": "drawn"}, **kept)
            assert path is not None
            made[name] = path.read_bytes()
    return made


def read_checkpoint(path: Path) -> Any:
    """Everything that can be asked of a checkpoint."""
    checkpoint = Checkpoint.read(path)
    net = checkpoint.network("reference")
    rng = checkpoint.state.get("rng")  # a generator, if nobody put something else there
    stands = repr(rng.bit_generator.state) if isinstance(rng, np.random.Generator) else repr(rng)
    told = (checkpoint.at, checkpoint.facts, checkpoint.metrics, checkpoint.settings, repr(net))
    return told, digest(net.views), digest(checkpoint.arrays), stands


def forge(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """A hostile value somewhere in the header or the manifest; the manifest's hash made right again, mostly."""
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    told = header["__metadata__"]
    manifest = json.loads(told["manifest"])
    for _ in range(draw.randint(1, 2)):
        _poison(draw, draw.choice((header, manifest, manifest)))
    told = header.get("__metadata__")
    signed = isinstance(told, dict) and draw.random() < 0.9
    text = json.dumps(manifest)
    if draw.random() < 0.1:
        text = text[:-1] + draw.choice((', "at": [1, 0, 0]}', ', "more": ' + "[" * 5000 + "]" * 5000 + "}", "}}"))
    if signed:
        told |= {"manifest": text, "sha256": sha256_of_text(text)}
    made = json.dumps(header).encode()
    return struct.pack("<Q", len(made)) + made + data, signed


def _poison(draw: random.Random, part: Any) -> None:
    """Walk down to somewhere and put something there, take something away, or give it another name."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not keys:
        return
    key = draw.choice(keys)
    if isinstance(part[key], dict | list) and part[key] and draw.random() < 0.75:
        _poison(draw, part[key])
    elif draw.random() < 0.7:
        part[key] = deepcopy(draw.choice(HOSTILE))
    elif isinstance(part, dict):
        value = part.pop(key)
        if draw.random() < 0.5:
            part[str(draw.choice(HOSTILE))[:200]] = value
    else:
        part.insert(key, deepcopy(draw.choice(HOSTILE)))


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


READERS = {
    "checkpoint": Reader(checkpoints, read_checkpoint, (forge,)),
    "idx": Reader(idx_files, read_array, (unpacked,), hashed=False),
    "cifar": Reader(cifar_files, read_cifar, hashed=False),
}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}; all if none is named")
    parser.add_argument("--files", type=int, default=100_000, help="a reader")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    for name in given.readers or READERS:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
            outcomes = fuzz(READERS[name], given.files, given.seed, Path(folder))
        shown = ", ".join(f"{count:,} {what}" for what, count in outcomes.most_common())
        print(f"{name}: {sum(outcomes.values()):,} files in {time.perf_counter() - began:.0f} s: {shown}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
