"""The border of a network: what does not fit is refused here, with a hint, before anything has changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .errors import ConfigError, DtypeError, ShapeError
from .layer import whole
from .run import SideInputs
from .types import Array, DType, Shape


def sample_shape(given: object) -> Shape:
    """`given` as the shape of one sample. Raises ConfigError unless it is extents."""
    extents = tuple(given) if isinstance(given, Iterable) else None
    if extents is None or not all(whole(n, least=0) for n in extents):
        raise ConfigError(
            "input_shape is the shape of one sample",
            expected="a tuple of whole numbers, without the batch",
            actual=repr(given),
            hint=f"input_shape=({given},)" if whole(given) else None,
        )
    return tuple(int(n) for n in extents)


def element_type(given: object) -> DType:
    """`given` as an element type to compute in. Raises ConfigError unless it is one."""
    try:
        dtype: DType | None = np.dtype(given)  # type: ignore[call-overload]
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "fcO":
        raise ConfigError("a network computes in floats", expected="float32 or float64", actual=given)
    return dtype


def check_batch(x: Array, shape: Shape, dtype: DType, index: bool) -> None:
    """Refuse an x that is no batch of samples of that shape: floats that can be cast to `dtype`, or indices.

    Raises ShapeError or DtypeError.
    """
    if not isinstance(x, np.ndarray):
        raise DtypeError(
            "the input is not an array", expected="a NumPy array", actual=type(x).__name__, hint="np.asarray(x)"
        )
    if x.ndim == 0 or x.shape[1:] != shape:
        hint = None
        if x.shape == shape:
            hint = "this is one sample; a batch of one is x[None]"
        elif math.prod(x.shape[1:]) == math.prod(shape):
            hint = f"x.reshape(len(x), {', '.join(map(str, shape))})"
        raise ShapeError("the input does not fit the network", expected=("N", *shape), actual=x.shape, hint=hint)
    if len(x) == 0:
        raise ShapeError("the batch is empty", expected="N >= 1 samples", actual=x.shape)
    if index and x.dtype.kind not in "iu":
        raise DtypeError("this network takes indices", expected="whole numbers", actual=x.dtype)
    if not index and x.dtype != dtype and x.dtype.kind not in ("f" if dtype.kind == "f" else "fcO"):
        raise DtypeError(
            "this network takes floats",
            expected=dtype,
            actual=x.dtype,
            hint="scale pixels first: x.astype(np.float32) / 255" if x.dtype.kind in "iu" else None,
        )


def check_cotangent(dlogits: Any, shape: Shape, dtype: DType) -> None:
    """Refuse a dlogits that is not like the logits of its forward. Raises ShapeError or DtypeError."""
    if not isinstance(dlogits, np.ndarray):
        raise DtypeError("dlogits is not an array", expected="a NumPy array", actual=type(dlogits).__name__)
    if dlogits.shape != shape:
        raise ShapeError("dlogits is not shaped like the logits", expected=shape, actual=dlogits.shape)
    if dlogits.dtype != dtype:
        raise DtypeError(
            "dlogits has another element type than the logits",
            expected=dtype,
            actual=dlogits.dtype,
            hint=f"dlogits.astype(np.{dtype})" if dlogits.dtype.kind == dtype.kind else None,
        )


def check_side(side: SideInputs) -> None:
    """Refuse a side input that no layer asked for: its name is misspelt, or it was meant for another network."""
    if side.keys() - side.asked:
        raise ConfigError(
            "no layer reads this side input",
            expected=", ".join(sorted(side.asked)) or "none",
            actual=", ".join(sorted(side.keys() - side.asked)),
        )
