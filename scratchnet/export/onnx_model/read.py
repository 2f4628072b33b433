"""What an ONNX file holds: nothing of it is run, and no other file that it names is opened."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.checkpoint.digest import digest
from scratchnet.core.types import Array

from ..about import ENDS
from ..errors import ExportError
from ..held import Held
from ..optional import missing
from .model import LARGEST, TIES


def read_onnx(path: str | Path) -> Held:
    """Metadata, initializers by name, and whether the hash in it is theirs.

    Raises:
        MissingPackageError: where the package onnx is not installed.
        ExportError: a file that cannot be read or is no ONNX model, or whose arrays lie in another file.
    """
    try:
        import onnx as package
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise missing("an ONNX model", "onnx") from error
    path = Path(path)
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise ExportError("no ONNX model", where=str(path), expected=f"a file of at most {LARGEST:,} bytes")
        model = package.ModelProto.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ExportError("no ONNX model that can be read", where=str(path), actual=str(error)[:200]) from error
    if not model.graph.node:
        raise ExportError("no ONNX model", where=str(path), expected="a graph with nodes")
    arrays = {tensor.name: _array(tensor, path) for tensor in model.graph.initializer}
    told = {entry.key: entry.value for entry in model.metadata_props}
    if not all(isinstance(text, str) for text in (*arrays, *told, *told.values())):  # protobuf gives what is no UTF-8
        raise ExportError("names or metadata that are no text", where=str(path))
    if ENDS[-1] not in told:
        return Held(told, arrays, None)
    try:
        ties = json.loads(told.get(TIES, "{}"))
        whole = arrays | {name: arrays[target] for name, target in ties.items()}
        verified = digest(whole) == told[ENDS[-1]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        verified = False
    return Held(told, arrays, verified)


def _array(tensor: Any, path: Path) -> Array:
    """An initializer whose bytes are in the file, as many as its shape says."""
    from onnx.helper import tensor_dtype_to_np_dtype

    shape = tuple(tensor.dims)
    try:
        kind = np.dtype(tensor_dtype_to_np_dtype(tensor.data_type))
        if tensor.data_location or min(shape, default=0) < 0 or kind.hasobject:
            raise ValueError("arrays in another file, or of another kind")
        if len(tensor.raw_data) != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{len(tensor.raw_data):,} bytes of raw data")
        return np.frombuffer(tensor.raw_data, kind).reshape(shape)
    except (KeyError, ValueError, TypeError) as error:
        raise ExportError(
            "an array that cannot be read",
            where=f"{path}: {tensor.name[:80]}",
            expected="numbers in the file itself, little endian",
            actual=str(error)[:200],
        ) from error
