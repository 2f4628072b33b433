"""Steps as other programs count them."""

from __future__ import annotations


class Steps:
    """Numbers of steps, which may begin anew with every epoch, as places 1, 2, 3 ... in a series."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = self.offset = 0
        self.gap, self.step, self.count = 1, 0, 0

    def place(self, step: int | None) -> int:
        """Where the loss of this step stands; the gap between the first two is taken for that of all."""
        self.count += 1
        if step is None:
            self.step = self.count
            return self.count
        if self.first is None:
            self.first = self.last = step
        elif self.count == 2 and step > self.first:
            self.gap = step - self.first
        if step < self.last:
            self.offset += self.last - step + self.gap
        self.last = step
        self.step = max(1, step + self.offset)
        return 1 + max(0, (step + self.offset - self.first) // self.gap)
