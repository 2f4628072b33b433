"""Copying and adding: what composites and buffers need."""

from __future__ import annotations

from typing import Any

from ..op import op


@op(x="...:any", y="...:any", out=("y",))
def copy(x: Any, y: Any) -> None:
    """y = x."""
    y[...] = x


@op(a="...", b="...", y="...", out=("y",))
def add(a: Any, b: Any, y: Any) -> None:
    """y = a + b."""
    y[...] = a + b
