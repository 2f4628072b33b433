"""Gather a batch in a step: x = scale·images[index] + shift, per channel."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..dense import ZERO
from ..gather import _integers
from .emit import Writer


def write_gather(writer: Writer) -> None:
    """x and targets of the samples whose numbers are `index`."""
    model = writer.model
    writer.body = writer.samples
    call = writer.use("step.gather", "gather")
    x, t = writer.view(model.x, "x", ""), writer.view(model.targets, "target", "")
    writer.line(f"{call}(images, index, scale, shift, {x})", "x = scale images[index] + shift")
    writer.line("for n in range(index.size):")
    writer.line(f"    {t}[n] = targets[index[n]]")


@njit(cache=True)
def gather(images: Any, index: Any, scale: Any, shift: Any, x: Any) -> None:
    """images (n, C, P) of whole numbers, or of floats of x's type; scale, shift (C,)."""
    _integers(ZERO, index.size, images, index, scale, shift, x.reshape(index.size, images.shape[1], images.shape[2]))
