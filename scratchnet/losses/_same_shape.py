"""What the losses share whose targets are shaped like the logits: how targets are admitted, and what is saved."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from scratchnet.core.errors import DtypeError, ShapeError, TargetError
from scratchnet.core.layer import require
from scratchnet.core.types import Array

Reduction = Literal["mean", "sum"]


class Saved(NamedTuple):
    """Logits and targets: the derivative is a function of both."""

    z: Array
    t: Array


def check_reduction(reduction: str) -> None:
    """Raise ConfigError unless it is "mean" or "sum"."""
    require(reduction in ("mean", "sum"), "reduction is mean or sum", actual=repr(reduction))


def admit_same_shape(loss: object, logits: Array, targets: Array) -> Array:
    """Targets of the logits' shape and type. Raises ShapeError, DtypeError, or TargetError at the first NaN."""
    name = type(loss).__name__
    targets = np.asarray(targets)
    if targets.shape != logits.shape:
        fits = targets.size == logits.size
        raise ShapeError(
            f"targets of {name} are shaped like the logits",
            expected=logits.shape,
            actual=targets.shape,
            hint=f"targets.reshape({logits.shape})" if fits else "they are not broadcast",
        )
    if targets.dtype.kind not in ("f" if logits.dtype.kind == "f" else "fcO"):
        raise DtypeError(
            f"targets of {name} are floats",
            expected=logits.dtype,
            actual=targets.dtype,
            hint=f"targets.astype(np.{logits.dtype})" if targets.dtype.kind in "iub" else None,
        )
    refuse_nan(targets)
    return targets if targets.dtype == logits.dtype else targets.astype(logits.dtype)


def refuse_nan(targets: Array) -> None:
    """Raise TargetError that names the first NaN."""
    with np.errstate(invalid="ignore"):  # a minimum makes no array of the targets' size, and NaN wins it
        if targets.dtype.kind in "fc" and targets.size and not np.isnan(targets.min()):
            return
    refuse(targets, targets != targets, "a target is NaN", "a number")


def refuse(targets: Array, bad: Array, what: str, expected: str) -> None:
    """Raise TargetError that names the first of the bad targets, if there is one."""
    if np.any(bad):
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), targets.shape))
        raise TargetError(what, where=f"targets[{', '.join(map(str, at))}]", expected=expected, actual=targets[at])
