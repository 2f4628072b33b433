"""The backends by name, and the table of ops through which a layer touches arrays."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from . import reference as _reference  # noqa: F401  (declares every op)
from .errors import BackendError
from .op import OPS, Kernel, Op
from .workspace import Workspace

NAMES = ("reference", "cpu", "cuda")

KERNELS: dict[str, dict[str, Kernel]] = {name: {} for name in NAMES}
"""What each backend implements besides the reference, by op name. Filled as a backend is first asked for."""


def kernel(backend: str) -> Callable[[Kernel], Kernel]:
    """Enter a function as `backend`'s implementation of the op of the same name and signature.

    A kernel that needs private memory takes it as a further keyword, `workspace`, which the table fills in.
    """

    def enter(function: Kernel) -> Kernel:
        KERNELS[backend][function.__name__] = function
        return function

    return enter


class Backend:
    """An array module and the implementations of the ops. Holds no state: two networks may share one."""

    def __init__(self, name: str, array_module: ModuleType, kernels: dict[str, Kernel]) -> None:
        self.name = name
        self.array_module = array_module
        self.kernels = kernels

    def __repr__(self) -> str:
        return f"get_backend({self.name!r})"

    def table(self) -> OpTable:
        """A table of this backend's ops with a workspace of its own."""
        return OpTable(self)

    def implements(self, name: str) -> bool:
        """Whether the op runs on kernels of this backend's own (and not on the reference)."""
        return self.name == "reference" or name in self.kernels


class OpTable:
    """`k`: every op as an attribute, behind its door. Doors are made on first use."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.workspace = Workspace()

    def __getattr__(self, name: str) -> Kernel:
        if name.startswith("__"):  # copy, pickle and inspect ask for these
            raise AttributeError(name)
        declared = OPS.get(name)
        if declared is None:
            close = difflib.get_close_matches(name, OPS, 1)
            hint = f"did you mean {close[0]}?" if close else "declare it with @op in scratchnet_kernels/reference/"
            raise BackendError(f"there is no op {name!r}", where=f"backend {self.backend.name}", hint=hint)
        function = self.backend.kernels.get(name, declared.reference)
        opened = _door(declared, function, self.workspace, self.backend.array_module.ndarray)
        self.__dict__[name] = opened
        return opened


def _door(declared: Op, function: Kernel, workspace: Workspace, ndarray: type[Any]) -> Kernel:
    """`function` behind a check of shapes and element types. Arguments that passed once pass by look-up."""
    passed: set[tuple[Any, ...]] = set()
    wants = {"workspace": workspace} if "workspace" in inspect.signature(function).parameters else {}

    def door(*args: Any, **kwargs: Any) -> None:
        if kwargs:
            args = declared.bind(args, kwargs)
        key = tuple([(a.shape, a.dtype) if isinstance(a, ndarray) else a for a in args])
        if key not in passed:
            declared.check(args)
            if len(passed) > 1024:
                passed.clear()
            passed.add(key)
        if wants:
            workspace.reset()
        function(*args, **wants)

    door.behind = function, wants  # type: ignore[attr-defined]  # for who has checked the arguments already
    return door


def get_backend(name: str) -> Backend:
    """The backend called `name`: "reference", "cpu" or "cuda".

    Raises BackendError for an unknown name, or for one that cannot run here.
    """
    if name == "reference":
        return Backend(name, np, {})
    if name == "cpu":
        import_module("scratchnet_kernels.cpu")
        return Backend(name, np, KERNELS[name])
    if name == "cuda":
        raise BackendError(
            "the cuda backend is not available in this version", hint='use backend="cpu" (or "reference")'
        )
    raise BackendError(f"unknown backend {name!r}", expected=" | ".join(NAMES), actual=repr(name))
