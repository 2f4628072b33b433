"""What the cpu backend compiles while somebody looks: which kernels, and how long that takes.

Nothing is imported and nothing is printed here. While nobody looks it costs nothing, and while somebody does it costs
a call for each kernel that is compiled; one that is found in the cache is none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

MOMENT = 0.3  # seconds


class Compilation:
    """What has been compiled so far.

    Attributes:
        count: kernels whose compilation has begun. Those that another one calls are part of it.
        name: the op (the file) of the last one; "the training step" for a step that `net.compile` wrote.
        fate: what becomes of them, in words.
    """

    def __init__(self, tell: Callable[[Compilation], None] | None = None) -> None:
        self.count, self.name = 0, ""
        self.fate = "kept for the next run"
        self._tell, self._depth, self._before, self._began, self._ended = tell, 0, 0.0, 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Spent so far, those of the kernel that is being compiled included."""
        return self._before + (time.perf_counter() - self._began if self._depth else 0.0)

    @property
    def going_on(self) -> bool:
        """Whether a kernel is being compiled, or was a moment ago: what needs one mostly needs another."""
        return bool(self._depth or time.perf_counter() < self._ended + MOMENT)

    def begin(self, module: str) -> None:
        """A kernel of that module begins to be compiled."""
        self._depth += 1
        if self._depth > 1:
            return
        self.count += 1
        self.name = "the training step" if module.startswith("scratchnet_step_") else module.split(".")[-1].strip("_")
        self._began = time.perf_counter()
        if self._tell is not None:
            self._tell(self)

    def end(self) -> None:
        """The kernel that began last is compiled, or could not be."""
        self._depth -= 1
        if not self._depth:
            self._ended = time.perf_counter()
            self._before += self._ended - self._began


@contextmanager
def watching(tell: Callable[[Compilation], None] | None = None) -> Iterator[Compilation]:
    """While it is open, count what Numba compiles; `tell` hears of each kernel as it begins.

    Open it after the network is made: where Numba has not been imported by then, no kernel of this run needs it.
    """
    seen = Compilation(tell)
    if "numba" not in sys.modules:
        yield seen
        return
    from numba.core import event

    if "scratchnet_kernels.cpu" in sys.modules and import_module("scratchnet_kernels.cpu._cache").passing():
        seen.fate = "not kept"

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            seen.begin(event.data["dispatcher"].py_func.__module__)

        def on_end(self, event: Any) -> None:
            seen.end()

    with event.install_listener("numba:compile", Listener()):
        yield seen
