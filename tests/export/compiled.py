"""Networks in C: written, compiled without a warning, and called."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchnet import Network
from scratchnet.core.types import map_leaves, named_leaves
from scratchnet.export import c

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
MISSING = "runs where gcc or clang is installed: apt-get install gcc clang"
needs_compiler = pytest.mark.skipif(not COMPILERS, reason=MISSING)


def compiled(folder: Path, files: Mapping[str, str], out: str, *flags: str, compiler: str = "") -> Path:
    """The program, or library, that these files make."""
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [compiler or COMPILERS[0], *STRICT, *flags, *files, "-o", out, "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / out


def library(folder: Path, networks: Mapping[str, Network], *flags: str, compiler: str = "") -> ctypes.CDLL:
    """All of them in one library, each under a prefix of its own."""
    files = {f"{prefix}.c": c(net, prefix=prefix) for prefix, net in networks.items()}
    name = f"{compiler}{len(list(folder.iterdir()))}.so"
    return ctypes.CDLL(str(compiled(folder, files, name, "-shared", "-fPIC", *flags, compiler=compiler)))


def leaves(net: Network, x: Any) -> list[np.ndarray]:
    """The inputs as C takes them."""
    arrays = named_leaves("x", x).values()
    return [np.ascontiguousarray(a, np.int32 if a.dtype.kind == "i" else net.dtype) for a in arrays]


def logits(lib: ctypes.CDLL, prefix: str, net: Network, x: Any) -> np.ndarray:
    """What scratchnet_logits says of every sample."""
    inputs = leaves(net, x)
    out = np.full((len(inputs[0]), *net.output_shape), np.nan, net.dtype)
    function = getattr(lib, f"{prefix}_logits")
    for n in range(len(out)):
        pointers = [a[n : n + 1].ctypes.data_as(ctypes.c_void_p) for a in (*inputs, out)]
        function(*pointers)
    return out


def predict(lib: ctypes.CDLL, prefix: str, net: Network, x: Any) -> list[int]:
    """What scratchnet_predict says of every sample."""
    inputs = leaves(net, x)
    function = getattr(lib, f"{prefix}_predict")
    return [function(*(a[n : n + 1].ctypes.data_as(ctypes.c_void_p) for a in inputs)) for n in range(len(inputs[0]))]


def samples(net: Network, n: int, below: int = 1, seed: int = 0) -> Any:
    """Inputs of both signs, or indices."""
    rng = np.random.default_rng(seed)

    def leaf(shape: tuple[int, ...], kind: str) -> np.ndarray:
        return (
            rng.integers(0, below, (n, *shape)) if kind == "index" else rng.normal(size=(n, *shape)).astype(net.dtype)
        )

    return map_leaves(leaf, net.input_shape, net.in_kind)


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference of a sample's logits, relative to the largest of them."""
    if found.shape != wanted.shape or not math.prod(found.shape):
        return math.inf
    found, wanted = found.reshape(len(found), -1), wanted.reshape(len(wanted), -1)
    return float((np.abs(found - wanted).max(1) / np.maximum(np.abs(wanted).max(1), np.finfo(wanted.dtype).tiny)).max())
