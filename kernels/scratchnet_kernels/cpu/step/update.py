"""What the optimizers' emitters share: a thread's stretch of the flat stores."""

from __future__ import annotations

from .emit import Writer
from .model import Operation

CACHE_LINE = 16  # float32 in 64 bytes: no two threads write into one line


def stretches(writer: Writer, operation: Operation, *roles: str) -> list[str]:
    """Thread t's part of the arrays that an optimizer's pass goes over, as slices of their stores."""
    share, first = writer.use("_threads", "share"), operation["p"].start
    writer.line(f"start, stop = {share}(t, T, np.int64({operation['p'].size}), np.int64({CACHE_LINE}))")
    at = f"{first} + start : {first} + stop" if first else "start:stop"
    return [f"{operation[role].store}[{at}]" for role in roles]
