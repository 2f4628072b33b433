"""The readers of exported networks (Python, C, Lean, ONNX, safetensors), their files, and code put into them."""

from __future__ import annotations

import json
import random
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _fuzz_checkpoint import HOSTILE, poison

from scratchnet import BatchNorm1d, Dense, Dropout, Network, ReLU
from scratchnet.checkpoint.digest import digest
from scratchnet.export import load_safetensors, load_source, read_c, read_lean, read_onnx, read_safetensors, write
from scratchnet.export.held import Held

CANARY = "ran"
CODE = (
    *(f"__import__('os').system('touch {CANARY}')", f"open('{CANARY}', 'w')", "import os; os._exit(7)"),
    *("while True: pass", "raise SystemExit", "(" * 3000, "-" * 100_000 + "1", "9" * 6000, "1e999", "nan", '"""'),
    *("*/", "-/", "\0", "\r", "\u2028", "\\", "Dense(10**9)", "Dense(999999999)", "Sequential(" * 50 + ")" * 50),
)
WORDS = "5", "6", "Dense(6)", "[5]", "true", "float32", '"seed": 0', "0.0", "3"
OTHERS = "999999999", "-1", "1e9", "Dense(10**9)", "[[]]", "float16", "object", "None", "../../x"


def body(dense: bool = False) -> Network:
    """A small network; one that Lean can say, if so asked."""
    layers = [Dense(6), ReLU(), Dense(3)] if dense else [Dense(6), BatchNorm1d(), ReLU(), Dropout(0.1), Dense(3)]
    return Network(layers, (5,), backend="reference")


def exported(to: str, **options: Any) -> bytes:
    """The network as a file's content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        facts = {"data": "drawn", "epochs": 3, "lr": 0.1, "test_accuracy": 0.9}
        write(body(to == "lean"), to, path, facts=facts, **options)
        return path.read_bytes()


def sources() -> dict[str, bytes]:
    """Both styles, with the backward and without."""
    both = [(style, backward) for style in ("literal", "packed") for backward in (False, True)]
    return {f"{s}{b:d}.py": exported("python", style=s, with_backward=b) for s, b in both}


def one(to: str, suffix: str) -> Callable[[], dict[str, bytes]]:
    """A file of a target that has one form."""
    return lambda: {f"model{suffix}": exported(to)}


def read_source(path: Path) -> Any:
    """The numbers, where they are verified; a file that has run would have left its mark."""
    loaded = load_source(path, backend="reference")
    if Path(CANARY).exists() or path.with_name(CANARY).exists():
        raise RuntimeError("the file has run")
    return digest(loaded.network.views) if loaded.verified else None


def read_tensors(path: Path) -> Any:
    """Into a network of the same architecture; what is held is looked at as well."""
    net = body()
    verified = load_safetensors(path, net)
    read_safetensors(path)
    return digest(net.views) if verified else None


def numbers(read: Callable[[Path], Held]) -> Callable[[Path], Any]:
    """The numbers that a reader finds, where they are verified."""

    def reader(path: Path) -> Any:
        held = read(path)
        return digest(held.arrays) if held.verified else None

    return reader


def put_code(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """A line of code, or of what breaks a parser, between two lines or within one."""
    code = draw.choice(CODE).encode()
    if draw.random() < 0.5:
        lines = content.split(b"\n")
        at = draw.randrange(len(lines))
        return b"\n".join([*lines[:at], code, *lines[at:]]), False
    at = draw.randrange(len(content))
    return content[:at] + code + content[at:], False


def change_word(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """A size, a number or a layer becomes another; or two lines change places."""
    if draw.random() < 0.3:
        lines = content.split(b"\n")
        a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
        return b"\n".join(lines), False
    word = draw.choice(WORDS).encode()
    places = [at for at in range(len(content)) if content.startswith(word, at)]
    at = draw.choice(places) if places else 0
    return content[:at] + draw.choice(OTHERS).encode() + content[at + len(word) :], False


def change_header(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """Hostile values in a safetensors file's header; names that are paths; an array twice."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    for _ in range(draw.randint(1, 2)):
        poison(draw, header)
    text = json.dumps(header)
    if header and draw.random() < 0.1:
        name, value = draw.choice(list(header.items()))
        text = text[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"
    if draw.random() < 0.1:
        text = json.dumps(draw.choice(HOSTILE))
    made = text.encode()
    return struct.pack("<Q", len(made)) + made + content[8 + length :], False


source = sources, read_source, (put_code, change_word)
safetensors = one("safetensors", ".safetensors"), read_tensors, (change_header,)
c = one("c", ".c"), numbers(read_c), (put_code, change_word)
lean = one("lean", ".lean"), numbers(read_lean), (put_code, change_word)
onnx = one("onnx", ".onnx"), numbers(read_onnx), ()
