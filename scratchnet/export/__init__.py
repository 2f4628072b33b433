"""A trained network as a file that needs no scratchnet: source to read and run, and exchange formats.

    from scratchnet import export

    export.python(net, "model.py", facts={"data": "MNIST", "epochs": 10})
    export.c(net, "model.c")
    network = export.load_source("model.py").network

A target's code is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import ExportError
from .targets import SUFFIXES, target_of, trial, write

if TYPE_CHECKING:
    from .c_source import c, read_c
    from .lean_source import lean, read_lean
    from .onnx_model import onnx, read_onnx
    from .python_source import Loaded, load_source, python
    from .safetensors_file import load_safetensors, read_safetensors, safetensors

PLACES = {
    "python_source": ("python", "load_source", "Loaded"),
    "c_source": ("c", "read_c"),
    "lean_source": ("lean", "read_lean"),
    "onnx_model": ("onnx", "read_onnx"),
    "safetensors_file": ("safetensors", "load_safetensors", "read_safetensors"),
}

__all__ = [
    "SUFFIXES",
    "ExportError",
    "Loaded",
    "c",
    "lean",
    "load_safetensors",
    "load_source",
    "onnx",
    "python",
    "read_c",
    "read_lean",
    "read_onnx",
    "read_safetensors",
    "safetensors",
    "target_of",
    "trial",
    "write",
]


def __getattr__(name: str) -> Any:
    for place, names in PLACES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
