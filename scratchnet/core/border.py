"""The border of a network: what does not fit is refused here, with a hint, before anything has changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .composite import Composite
from .errors import ConfigError, DtypeError, ShapeError
from .layer import Layer, require, whole
from .run import Run, SideInputs
from .types import Array, DType, Leaves, Shape, map_leaves, named_leaves, samples, structured


def sample_shape(given: Any) -> Leaves:
    """`given` as the shape of one sample, or a NamedTuple of such shapes. Raises ConfigError unless it is extents."""
    shapes = [_extents(name, leaf) for name, leaf in named_leaves("input_shape", given).items()]
    require(len(shapes) > 0, "input_shape has no leaves", expected="a NamedTuple of shapes", actual=repr(given))
    return given._make(shapes) if structured(given) else shapes[0]


def _extents(name: str, given: object) -> Shape:
    extents = tuple(given) if isinstance(given, Iterable) else None
    if extents is None or not all(whole(n, least=0) for n in extents):
        raise ConfigError(
            f"{name} is the shape of one sample",
            expected="a tuple of whole numbers, without the batch",
            actual=repr(given),
            hint=f"{name.rpartition('.')[2]}=({given},)" if whole(given) else None,
        )
    return tuple(int(n) for n in extents)


def check_structure(layer: Layer, in_shape: Leaves, path: str = "") -> None:
    """Refuse a NamedTuple on its way into a layer that takes one array. Raises ShapeError, which names the layer."""
    if isinstance(layer, Composite):
        for name, child, shape in layer.wiring(in_shape):
            check_structure(child, shape, f"{path}.{name}" if path else name)
    elif structured(in_shape) and not isinstance(in_shape, layer.structures):
        error = layer.refuse("one array", f"a {type(in_shape).__name__} of {len(in_shape)}")
        error.where = f"layer {path}, {layer!r}"
        raise error


def element_type(given: object) -> DType:
    """`given` as an element type to compute in. Raises ConfigError unless it is one."""
    try:
        dtype: DType | None = np.dtype(given)  # type: ignore[call-overload]
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "fcO":
        raise ConfigError("a network computes in floats", expected="float32 or float64", actual=given)
    return dtype


def check_batch(x: Leaves, shape: Leaves, dtype: DType, kind: Any) -> None:
    """Refuse an x that is no batch of samples of that shape: floats that can be cast to `dtype`, or indices.

    Where the shape is a NamedTuple of shapes, x is the same NamedTuple of arrays, with as many samples each.
    Raises ShapeError or DtypeError, which name the leaf.
    """
    if not structured(shape):
        return _check_leaf(x, shape, dtype, kind)
    if type(x) is not type(shape):
        name, fields = type(shape).__name__, ", ".join(f"{field}=..." for field in shape._fields)
        raise DtypeError(
            f"the input is not a {name}",
            expected=f"a {name} of arrays",
            actual=type(x).__name__,
            hint=f"{name}({fields})",
        )
    kinds = map_leaves(lambda _, kind: kind, shape, kind)
    for (name, leaf), of_sample, of_leaf in zip(named_leaves("x", x).items(), shape, kinds, strict=True):
        try:
            _check_leaf(leaf, of_sample, dtype, of_leaf)
            if len(leaf) != samples(x):
                raise ShapeError(
                    "the leaves of the input differ in their number of samples",
                    expected=f"N = {samples(x)}, as in x.{x._fields[0]}",
                    actual=f"N = {len(leaf)}",
                )
        except (ShapeError, DtypeError) as error:
            error.where = name
            raise


def _check_leaf(x: Any, shape: Shape, dtype: DType, kind: str) -> None:
    if not isinstance(x, np.ndarray):
        raise DtypeError(
            "the input is not an array",
            expected="a NumPy array",
            actual=type(x).__name__,
            hint="the input_shape of this network is one shape" if structured(x) else "np.asarray(x)",
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
    if kind == "index" and x.dtype.kind not in "iu":
        raise DtypeError("this network takes indices", expected="whole numbers", actual=x.dtype)
    if kind != "index" and x.dtype != dtype and x.dtype.kind not in ("f" if dtype.kind == "f" else "fcO"):
        raise DtypeError(
            "this network takes floats",
            expected=dtype,
            actual=x.dtype,
            hint="scale pixels first: x.astype(np.float32) / 255" if x.dtype.kind in "iu" else None,
        )


def cast(x: Array, kind: str, dtype: DType, run: Run) -> Array:
    """x, or a copy in the network's own float where x has another one."""
    if kind == "index" or x.dtype == dtype:
        return x
    copy = run.empty(x.shape, dtype)
    np.copyto(copy, x, casting="unsafe")
    return copy


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
