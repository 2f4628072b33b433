"""Gather a batch in a step: x = scale·images[index] + shift, per channel."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..dense import ZERO
from ..gather import _integers, _integers_parallel
from .emit import Writer


def write_gather(writer: Writer) -> None:
    """x and targets of the samples whose numbers are `index`."""
    model = writer.model
    threads = writer.threads(16 * model.x.size)
    call = writer.use("step.gather", "gather_parallel" if threads else "gather")
    x, t = writer.view(model.x, "x", ""), writer.view(model.targets, "t", "")
    given = [*([threads] if threads else []), "images", "index", "scale", "shift", x]
    writer.line(f"{call}({', '.join(given)})", "x = scale images[index] + shift")
    writer.line(f"for n in range({model.batch_size}):")
    writer.line(f"    {t}[n] = targets[index[n]]")


@njit(cache=True)
def gather(images: Any, index: Any, scale: Any, shift: Any, x: Any) -> None:
    """images (n, C, P) of whole numbers, or of floats of x's type; scale, shift (C,)."""
    _integers(ZERO, index.size, images, index, scale, shift, x.reshape(index.size, images.shape[1], images.shape[2]))


@njit(cache=True)
def gather_parallel(T: Any, images: Any, index: Any, scale: Any, shift: Any, x: Any) -> None:
    """The same on T threads."""
    if T == 1:
        gather(images, index, scale, shift, x)
    else:
        out = x.reshape(index.size, images.shape[1], images.shape[2])
        _integers_parallel(T, images, index, scale, shift, out)
