"""What emitted modules are made of: the ops as functions that return their results, in NumPy alone.

Each is written in the order of operations of the reference op of its name, so that it gives the same bits. The emitter
takes the source text of those that a network uses, and of what these call.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

FUNCTIONS: dict[str, Any] = {}
"""Every function by name: of an op where its name is an op's, else one that others call."""

for _module in iter_modules(__path__):
    _names = vars(import_module(f"{__name__}.{_module.name}"))
    FUNCTIONS |= {name: f for name, f in _names.items() if getattr(f, "__module__", "").startswith(__name__ + ".")}
