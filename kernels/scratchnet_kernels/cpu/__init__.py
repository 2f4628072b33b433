"""The cpu backend: Numba kernels with the names and signatures of the reference.

Importing the package imports Numba and every file in it, but compiles nothing: a kernel is compiled, and cached on
disk, when it is first called. An op without a file here runs on the reference.
"""

from importlib import import_module
from pkgutil import iter_modules

from ._cache import kept

with kept():
    for _module in iter_modules(__path__):
        if not _module.name.startswith("_"):
            import_module(f"{__name__}.{_module.name}")
