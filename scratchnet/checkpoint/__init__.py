"""What training must not lose: a network and all that belongs to its training, in files that survive anything."""

from .architecture import build, describe
from .digest import digest
from .errors import CheckpointError, DamagedError
from .source import layer_from_source

__all__ = ["CheckpointError", "DamagedError", "build", "describe", "digest", "layer_from_source"]
