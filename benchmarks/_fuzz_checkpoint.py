"""The reader of checkpoints, its files, and how somebody who knows the format would tamper with them."""

from __future__ import annotations

import json
import random
import struct
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet import Adam, BatchNorm1d, Dense, MultiHeadAttention, Network, QueryMemory, ReLU
from scratchnet.checkpoint import Checkpoint, Checkpointer, digest
from scratchnet.checkpoint.header import sha256_of_text

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
        poison(draw, draw.choice((header, manifest, manifest)))
    told = header.get("__metadata__")
    signed = isinstance(told, dict) and draw.random() < 0.9
    text = json.dumps(manifest)
    if draw.random() < 0.1:
        text = text[:-1] + draw.choice((', "at": [1, 0, 0]}', ', "more": ' + "[" * 5000 + "]" * 5000 + "}", "}}"))
    if signed:
        told |= {"manifest": text, "sha256": sha256_of_text(text)}
    made = json.dumps(header).encode()
    return struct.pack("<Q", len(made)) + made + data, signed


def poison(draw: random.Random, part: Any) -> None:
    """Walk down to somewhere and put something there, take something away, or give it another name."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not keys:
        return
    key = draw.choice(keys)
    if isinstance(part[key], dict | list) and part[key] and draw.random() < 0.75:
        poison(draw, part[key])
    elif draw.random() < 0.7:
        part[key] = deepcopy(draw.choice(HOSTILE))
    elif isinstance(part, dict):
        value = part.pop(key)
        if draw.random() < 0.5:
            part[str(draw.choice(HOSTILE))[:200]] = value
    else:
        part.insert(key, deepcopy(draw.choice(HOSTILE)))
