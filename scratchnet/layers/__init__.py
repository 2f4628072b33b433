"""The layers, one a file. Importing the package imports every file in it, so that a new layer is one new file."""

from importlib import import_module
from pkgutil import iter_modules

from scratchnet.core.sequential import Sequential

from .dense import Dense
from .relu import ReLU

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Dense", "ReLU", "Sequential"]
