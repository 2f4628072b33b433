"""A network as a Python module that needs NumPy alone, and such a module as a network, without running it."""

from .emit import python
from .load import Loaded, load_source

__all__ = ["Loaded", "load_source", "python"]
