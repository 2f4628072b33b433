"""Walking along a sequence: which time belongs to which step."""

from __future__ import annotations

from typing import Any


def steps(T: int, reverse: bool) -> list[tuple[int, int, int | None]]:
    """(step, its time, the time of the step before or None) in the order in which a sequence is walked."""
    times = range(T)[::-1] if reverse else range(T)
    return [(s, t, times[s - 1] if s else None) for s, t in enumerate(times)]


def given_at(dy: Any, s: int, t: int, T: int) -> Any:
    """The cotangent of the state after step s. A dy of one time belongs to the last step; at the others it is 0."""
    if dy.shape[1] == T:
        return dy[:, t]
    return dy[:, 0] if s == T - 1 else 0
