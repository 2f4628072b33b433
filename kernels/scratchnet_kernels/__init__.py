"""scratchnet's ops: the reference that specifies them, and the kernels that make them fast."""

from .backend import NAMES, Backend, OpTable, get_backend
from .errors import BackendError, DtypeError, ScratchnetError, ShapeError
from .op import OPS, Op, op

__all__ = [
    "NAMES",
    "OPS",
    "Backend",
    "BackendError",
    "DtypeError",
    "Op",
    "OpTable",
    "ScratchnetError",
    "ShapeError",
    "get_backend",
    "op",
]
