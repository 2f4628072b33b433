"""What the normalising layers share: the type in which statistics are saved, and gamma and beta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scratchnet.core.initializers import Ones, Zeros
from scratchnet.core.layer import ParamSpec
from scratchnet.core.types import Array, DType, Shape


class Saved(NamedTuple):
    """The input, and the mean and 1/√(var + eps) by which it was normalised."""

    x: Array
    mean: Array
    rstd: Array


def wide(dtype: DType) -> DType:
    """float64 for every narrower float.

    A float32 mean of values near 10⁴ is off by 10⁻³ or so, and every normalised value with it.
    """
    return np.dtype(object) if dtype.hasobject else np.promote_types(dtype, np.float64)


def scale_and_shift(shape: Shape, affine: bool) -> Mapping[str, ParamSpec]:
    """gamma, 1 at the start, and beta, 0 at the start; neither without `affine`."""
    return {"gamma": ParamSpec(shape, Ones()), "beta": ParamSpec(shape, Zeros())} if affine else {}


def flat(array: Array | None) -> Array | None:
    """A parameter or its gradient as one axis: a view, because stores are contiguous."""
    return None if array is None else array.reshape(-1)
