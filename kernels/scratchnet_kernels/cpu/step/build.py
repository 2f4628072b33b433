"""From a step's source to a compiled function, by way of a file in the user's cache folder.

The file is there for the reader, for tracebacks, and for Numba, which keeps what it compiles beside it. It is never a
source of code: what is compiled is the text that has just been emitted, and a file that differs from it is written
anew. Its name is a hash of that text, of every kernel's source and of Numba's version, so that no compiled step
outlives a change of anything in it.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba

from ...errors import BackendError
from ...workspace import aligned
from .._cache import root, sources
from .source import Source

get_num_threads: Callable[[], int] = numba.get_num_threads


class Kernel:
    """A step, ready to run. It is compiled when it is first run.

    Attributes:
        source: its text.
        path: where that is kept.
    """

    def __init__(self, source: Source, dtype: Any) -> None:
        self.source = source
        module = _load(source.text)
        self.path = str(module.__file__)
        self._run = module.run
        self._memory = aligned(source.memory, dtype)

    def __call__(self, given: Sequence[Any], stores: dict[str, Any], losses: Any, hits: Any) -> None:
        """Run. `hits`: right answers, and steps made.

        `given`: images, targets, order, scale, shift, lr, steps made before; `stores`: flat arrays by name.
        """
        flat = [stores[name] for name in ("parameters", "gradients", *self.source.slots)]
        self._run(*given, get_num_threads(), *flat, self._memory, losses, hits)


def build(source: Source, dtype: Any) -> Kernel:
    """The step's function. Raises BackendError where there is no folder to keep it in."""
    return Kernel(source, dtype)


class _Emitted(importlib.abc.InspectLoader):
    """Loads a module from text at hand, which a file holds as well."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path = text, path

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.text, str(self.path))


def _load(text: str) -> ModuleType:
    name = f"scratchnet_step_{digest(text)}"
    path = folder() / f"{name}.py"
    _keep(text, path)
    known = sys.modules.get(name)
    if known is not None:
        return known
    spec = importlib.util.spec_from_loader(name, _Emitted(text, path), origin=str(path))
    assert spec is not None
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba finds the globals of what it kept by the module's name
    try:
        _Emitted(text, path).exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def digest(text: str) -> str:
    """What a step's file is called."""
    return hashlib.sha256(f"{text}\0{sources()}\0{numba.__version__}".encode()).hexdigest()[:24]


def folder() -> Path:
    """Where steps are kept: under `NUMBA_CACHE_DIR`, else in the user's cache; made for the user alone."""
    place = root() / "steps"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        hint = "set NUMBA_CACHE_DIR to a folder that can be written"
        raise BackendError("no folder to keep a compiled step in", actual=f"{place}: {error}", hint=hint) from error
    return place


def _keep(text: str, path: Path) -> None:
    """Make the file say `text`, in one move, so that no other process sees half of it."""
    try:
        if path.read_text("utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
