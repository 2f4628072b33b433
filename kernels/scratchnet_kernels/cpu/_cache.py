"""Where compiled kernels are kept between runs.

Numba keeps them beside their source, or in the user's cache folder (`NUMBA_CACHE_DIR` names another place); where it
can write to neither it refuses to define a kernel at all: a package that another user installed, and no home.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from typing import Any

import numba

from ..errors import BackendError

WHAT = "compiled kernels cannot be kept, because neither the package's folder nor the user's cache can be written"
HINT = "set NUMBA_CACHE_DIR to a folder that can be written"

config: Any = numba.config


_passing: list[str] = []  # the folder that goes with this process, if there is one


def _probe() -> None:
    """Stands for any kernel of this folder."""


def place() -> str:
    """The folder in which this backend's compiled kernels are kept; "" where none are made (NUMBA_DISABLE_JIT)."""
    made: Any = numba.njit(cache=True)(_probe)
    return str(made.stats.cache_path) if hasattr(made, "stats") else ""


def passing() -> bool:
    """Whether that folder goes when this process ends."""
    return bool(_passing)


def ensure_place() -> None:
    """Make sure that kernels can be defined: where nothing can be kept, in a folder that goes when the process ends.

    Warns then, because every run compiles anew. Raises BackendError if there is no such folder either.
    """
    try:
        numba.njit(cache=True)(_probe)
        return
    except RuntimeError:  # "no locator available"
        pass
    try:
        folder = tempfile.mkdtemp(prefix="scratchnet-")
    except OSError as error:
        raise BackendError(WHAT, actual=error.strerror or str(error), hint=HINT) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config.CACHE_DIR = folder
    _passing.append(folder)
    warnings.warn(f"{WHAT}: each run compiles them anew; {HINT}", RuntimeWarning, stacklevel=2)
