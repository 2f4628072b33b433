"""Running a flat, elementwise loop on arrays of any strides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..workspace import Workspace
from ._flat import flat, put_back


def run_loop(
    loop: Callable[..., None], inputs: tuple[Any, ...], out: Any, workspace: Workspace, *numbers: float
) -> None:
    """loop(*inputs, out, *numbers) with the arrays flat and the numbers in their element type."""
    target = flat(out, workspace)
    loop(*[flat(array, workspace) for array in inputs], target, *[out.dtype.type(number) for number in numbers])
    put_back(target, out)
