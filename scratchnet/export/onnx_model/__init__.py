"""A network as an ONNX model, and what such a file holds. The package `onnx` is imported when it is needed."""

from .model import onnx
from .read import read_onnx

__all__ = ["onnx", "read_onnx"]
