"""A dense network as a Lean 4 file, and the numbers of such a file, by a grammar of our own."""

from .emit import lean
from .read import read_lean

__all__ = ["lean", "read_lean"]
