"""A network as one C99 file, and the numbers of such a file without compiling it."""

from .emit import c
from .read import read_c

__all__ = ["c", "read_c"]
