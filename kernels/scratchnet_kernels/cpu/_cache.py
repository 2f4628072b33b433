"""Where compiled kernels are kept between runs: under the user's cache folder, or under `NUMBA_CACHE_DIR`.

Numba knows a kept kernel by its own source file alone. One whose callee in another file has changed would be found
and run as it was, so the kernels lie in a folder named by a hash of all their sources: any change compiles anew.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numba.misc.appdirs

from ..errors import BackendError

WHAT = "compiled kernels cannot be kept, because the user's cache folder cannot be written"
HINT = "set NUMBA_CACHE_DIR to a folder that can be written"
UNUSED = 30 * 24 * 3600.0  # seconds until kernels of other sources are thrown away

config: Any = numba.config
user_cache_dir: Callable[..., str] = numba.misc.appdirs.user_cache_dir
_passing: list[str] = []  # the folder that goes with this process, if there is one


@lru_cache(maxsize=1)
def sources() -> str:
    """A hash of every source file of this backend."""
    here = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        total.update(f"{path.relative_to(here)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def root() -> Path:
    """The folder under which kernels and compiled steps are kept."""
    return Path(_passing[0] if _passing else config.CACHE_DIR or user_cache_dir("scratchnet", appauthor=False))


def place() -> str:
    """The folder in which this backend's compiled kernels are kept; "" where none are made (NUMBA_DISABLE_JIT)."""
    return "" if config.DISABLE_JIT else str(root() / "kernels" / sources()[:24])


def passing() -> bool:
    """Whether that folder goes when this process ends."""
    return bool(_passing)


@contextmanager
def kept() -> Iterator[None]:
    """While it is open, kernels are defined that are kept in `place()`.

    Where nothing can be kept they go into a folder that goes when the process ends, and a RuntimeWarning says so,
    because every run compiles anew. Raises BackendError if there is no such folder either.
    """
    if config.DISABLE_JIT:
        yield
        return
    try:
        _open(Path(place()))
    except OSError:
        _passing.append(_temporary())
        _open(Path(place()))
        warnings.warn(f"{WHAT}: each run compiles them anew; {HINT}", RuntimeWarning, stacklevel=3)
    given, config.CACHE_DIR = config.CACHE_DIR, place()
    try:
        yield
    finally:
        config.CACHE_DIR = given  # whoever imports us keeps their own kernels where they did


def _open(folder: Path) -> None:
    """Make the folder, see that it can be written, and clear away what no source has asked for lately."""
    fresh = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    os.utime(folder)
    if fresh:
        for other in folder.parent.iterdir():
            with suppress(OSError):
                if time.time() - other.stat().st_mtime > UNUSED:
                    shutil.rmtree(other, ignore_errors=True)


def _temporary() -> str:
    try:
        folder = tempfile.mkdtemp(prefix="scratchnet-")
    except OSError as error:
        raise BackendError(WHAT, actual=error.strerror or str(error), hint=HINT) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
