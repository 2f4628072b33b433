"""The reference: every op in plain NumPy, written to be read. What an op does is what its file here says.

Importing the package imports every file in it, so that a new op is one new file.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    if not _module.name.startswith("_"):
        import_module(f"{__name__}.{_module.name}")
