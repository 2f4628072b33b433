"""Ctrl-C that is heard between batches, so that no step is cut in half."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


def tell(text: str) -> None:
    """Write to standard error, past its buffer: a signal may come while something else is being written."""
    with suppress(OSError, ValueError, AttributeError):  # closed, or not a file
        os.write(sys.stderr.fileno(), text.encode())


class CtrlC:
    """While it is open, the first Ctrl-C raises KeyboardInterrupt at the next `check`, the second wherever one is.

    An exception that Python raises wherever it happens to be may fall into a finaliser, where it is lost, or between
    the halves of a parameter update. Outside the main thread, which alone hears signals, this does nothing.
    """

    def __init__(self) -> None:
        self.heard = False
        self._before: Any = None

    def __enter__(self) -> CtrlC:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: Any) -> None:
        if self.heard:
            raise KeyboardInterrupt
        self.heard = True
        tell("\nCtrl-C: ends after this batch (kernels may be compiling); again: at once\n")

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.heard:
            raise KeyboardInterrupt

    def between(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a `check` before each and after the last."""
        for item in items:
            self.check()
            yield item
            del item  # a batch is leased: hold it no longer than the loop does
        self.check()
