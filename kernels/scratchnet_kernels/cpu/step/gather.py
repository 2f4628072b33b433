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
    first = f"{model.batch_size} * s" + " + n0" * writer.parts
    writer.line(f"{call}(images, order, {first}, scale, shift, {x})", "x = scale images[index] + shift")
    writer.line("for n in range(index.size):")
    writer.line(f"    {t}[n] = targets[index[n]]")


@njit(cache=True)
def gather(images: Any, order: Any, first: Any, scale: Any, shift: Any, x: Any) -> None:
    """The samples from order[first] on. images (n, C, P) of whole numbers, or floats of x's type; scale, shift (C,).

    It is given the whole order, and so asks the memory for the next step's samples as well.
    """
    N, (_, C, P) = x.shape[0], images.shape
    _integers(first, first + N, images, order, scale, shift, x.reshape(N, C, P), ZERO)
