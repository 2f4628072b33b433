"""Whole training steps as compiled functions: a network's plan, written down as a module that Numba compiles.

An op takes part once it has an emitter, entered by `@emits("its name")` in a file of this folder.
"""

from . import adam, dense, elementwise, losses, rmsprop, sgd  # noqa: F401  (they enter their emitters)
from .build import Kernel, build
from .emit import emitter_of
from .model import Model, NotEmittedError, Operation, View
from .source import Source, emit

__all__ = ["Kernel", "Model", "NotEmittedError", "Operation", "Source", "View", "build", "emit", "emitter_of"]
