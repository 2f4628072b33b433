"""Files that were tampered with, against the reader of exported Python: what comes of each."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scratchnet import BatchNorm1d, Dense, Dropout, Network, ReLU
from scratchnet.export.about import digest_of
from scratchnet.export.errors import ExportError
from scratchnet.export.python import load_source, python

CANARY = "ran"
CODE = (
    f"__import__('os').system('touch {CANARY}')",
    f"open('{CANARY}', 'w')",
    f"exec(\"open('{CANARY}', 'w')\")",
    "import os; os._exit(7)",
    "while True: pass",
    "raise SystemExit",
    "0" * 5000,
    "(" * 3000,
    "-" * 100_000 + "1",
    "[" * 100_000 + "]" * 100_000,
    "9" * 6000,
    "1e999",
    "-1e400",
    "nan",
    "\0",
    "\r",
    "\u2028",
    '"""',
    "\\",
    "Dense(10**9)",
    "Dense(999999999)",
    "Sequential(" * 50 + ")" * 50,
)


def originals() -> tuple[list[bytes], str]:
    """One network in both styles, with its backward and without; and the hash of its numbers."""
    net = Network([Dense(6), BatchNorm1d(), ReLU(), Dropout(0.1), Dense(3)], (5,), backend="reference")
    facts = {"data": "drawn", "epochs": 3, "lr": 0.1, "test_accuracy": 0.9}
    both = [(style, backward) for style in ("literal", "packed") for backward in (False, True)]
    return [python(net, style=s, with_backward=b, facts=facts).encode() for s, b in both], digest_of(net)


def mutant(rng: np.random.Generator, original: bytes) -> bytes:
    """Bits flipped, parts cut, moved or doubled, code or bad text put in, numbers changed."""
    data, kind = bytearray(original), rng.integers(9)
    at, other = (int(i) for i in rng.integers(0, len(data), 2))
    first, last = sorted((at, other))
    lines = original.split(b"\n")
    line = int(rng.integers(len(lines)))
    code = CODE[rng.integers(len(CODE))].encode()
    if kind == 0:
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] ^= 1 << rng.integers(8)
    elif kind == 1:
        data = data[:at]
    elif kind == 2:
        del data[first : min(last, first + int(rng.integers(1, 200)))]
    elif kind == 3:
        data[at:at] = data[first : min(last, first + 200)]
    elif kind == 4:
        data = bytearray(b"\n".join([*lines[:line], code, *lines[line:]]))
    elif kind == 5:
        data[at:at] = code
    elif kind == 6:
        digits = [i for i, byte in enumerate(data) if chr(byte).isdigit()]
        data[digits[rng.integers(len(digits))]] = ord(str(rng.integers(10)))
    elif kind == 7:
        swap = int(rng.integers(len(lines)))
        lines[line], lines[swap] = lines[swap], lines[line]
        data = bytearray(b"\n".join(lines))
    else:
        words = [b"5", b"6", b"Dense(6)", b"(6, 5)", b"true", b"float32", b'"seed": 0']
        others = [b"999999999", b"-1", b"1e9", b"Dense(10**9)", b"[[]]", b"float16", b"object", b"None", b"../../x"]
        data = bytearray(original.replace(words[rng.integers(len(words))], others[rng.integers(len(others))], 1))
    return bytes(data)


def attack(count: int, seed: int, folder: Path) -> Counter[str]:
    """What comes of so many mutants: "refused", "not verified", "the same numbers" (to the bit: 0.5 written as 0.50, or
    nothing changed); and whatever should not, as "FAILED: ...".

    Also counted: "slowest, ms" and "memory, MiB", the most that the process had.
    """
    rng, results, path = np.random.default_rng(seed), Counter[str](), folder / "mutant.py"
    start, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0
    sources, digest = originals()
    for data in mutants(rng, sources, count):
        path.write_bytes(data)
        began = time.perf_counter()
        results[_outcome(path, digest)] += 1
        slowest = max(slowest, time.perf_counter() - began)
        if {entry.name for entry in folder.iterdir()} != {path.name} or Path(CANARY).exists():
            results["FAILED: a file has run"] += 1
    results["slowest, ms"] = round(1000 * slowest)
    results["memory, MiB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1024
    return results


def mutants(rng: np.random.Generator, sources: list[bytes], count: int) -> Iterator[bytes]:
    """So many, of all sources in turn."""
    for number in range(count):
        yield mutant(rng, sources[number % len(sources)])


def _outcome(path: Path, digest: str) -> str:
    try:
        loaded = load_source(path, backend="reference")
    except ExportError as error:
        return "refused" if str(path) in str(error) else f"FAILED: no place in {error}"
    except BaseException as error:
        return f"FAILED: {type(error).__name__}"
    same = digest_of(loaded.network) == digest
    if loaded.verified != same:
        return f"FAILED: {'another' if loaded.verified else 'the same'} network, verified: {loaded.verified}"
    return "the same numbers" if same else "not verified"
