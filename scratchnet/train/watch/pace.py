"""How fast a loop trains, without what happens between epochs and without the looks at it."""

from __future__ import annotations

import time


class Pace:
    """Samples a second, over the time between one step and the next."""

    def __init__(self) -> None:
        self._last: float | None = None  # when the step before was made; None after a pause
        self._samples, self._seconds = 0, 0.0

    def step(self, samples: int) -> None:
        """A step on so many samples is being made."""
        now = time.perf_counter()
        if self._last is not None:
            self._samples += samples
            self._seconds += now - self._last
        self._last = now

    def pause(self) -> None:
        """What comes before the next step is no training."""
        self._last = None

    def resume(self) -> None:
        """Training goes on after what was no training."""
        self._last = time.perf_counter()

    def taken(self) -> float | None:
        """Samples a second since this was last asked; None where no time has gone by."""
        pace = self._samples / self._seconds if self._seconds > 0 else None
        self._samples, self._seconds = 0, 0.0
        return pace
