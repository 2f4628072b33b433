"""The context in which a loop makes its update, so that a monitor sees what comes of it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .monitor import Monitor


class Update:
    """Of every step of a monitor. One that is not looked at passes through it at once."""

    __slots__ = ("_monitor",)

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None or self._monitor.waiting:
            self._monitor.finish_step(updated=error is None, error=error)
