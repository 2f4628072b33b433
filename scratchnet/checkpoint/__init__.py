"""What training must not lose: a network and all that belongs to its training, in files that survive anything."""

from .architecture import build, describe
from .checkpoint import Checkpoint, Position
from .checkpointer import Checkpointer
from .digest import digest
from .errors import CheckpointError, DamagedError
from .file import read, write
from .kept import DamagedWarning, Entry
from .source import layer_from_source

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Checkpointer",
    "DamagedError",
    "DamagedWarning",
    "Entry",
    "Position",
    "build",
    "describe",
    "digest",
    "layer_from_source",
    "read",
    "write",
]
