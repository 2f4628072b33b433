"""What an op is: a function that writes into arrays it is given, and the declaration that its door checks.

An op returns nothing. Its arrays are declared by name with the axes they have:

    @op(x="N I", W="O I", b="O", y="N O", out=("y",), optional=("b",), flops=lambda d: 2 * d["N"] * d["I"] * d["O"])
    def dense(x, W, b, y): ...

One axis name stands for one extent throughout the call; a number stands for itself; `...` stands for any
run of axes, the same run throughout. ` : kind` after the axes names an element type other than the call's
float type (`: int` any integer, `: i8` exactly int64, `: bool`, `: any`). All other arrays share one type.
Extents that follow from hyper-parameters (a convolution's output) are returned by `dims(extents, arguments)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import DtypeError, ShapeError

Extents = dict[str, Any]
Kernel = Callable[..., None]

OPS: dict[str, Op] = {}
"""Every op by name, in the order in which the reference declares them."""

KINDS = {"f": "float", "c": "complex", "O": "object", "i": "int", "u": "int", "b": "bool"}


@dataclass(frozen=True)
class Op:
    """The declaration of an op, made from its reference function."""

    name: str
    reference: Kernel
    parameters: tuple[str, ...]
    axes: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str]
    out: tuple[str, ...]
    adds: tuple[str, ...]
    optional: tuple[str, ...]
    dtypes: tuple[str, ...]
    dims: Callable[[Extents, dict[str, Any]], Extents] | None
    flops: Callable[[Extents], int] | None

    @property
    def writes(self) -> tuple[str, ...]:
        """The names of the arrays that a call changes."""
        return self.out + self.adds

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put keyword arguments in their places."""
        if not kwargs:
            return args
        bound = inspect.signature(self.reference).bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in self.parameters)

    def check(self, args: tuple[Any, ...]) -> Extents:
        """Hold the arguments against the declaration; return the extents by axis name.

        Raises ShapeError or DtypeError, naming op, argument, expected and actual.
        """
        if len(args) != len(self.parameters):
            raise TypeError(f"op {self.name} takes ({', '.join(self.parameters)}), got {len(args)} arguments")
        given = dict(zip(self.parameters, args, strict=True))
        extents: Extents = {}
        dtype: Any = None
        for name, axes in self.axes.items():
            array = given[name]
            if array is None and name in self.optional:
                continue
            if not hasattr(array, "shape") or not hasattr(array, "dtype"):
                raise DtypeError("not an array", where=f"op {self.name}, {name}", actual=type(array).__name__)
            self._match(name, axes, tuple(array.shape), extents)
            dtype = self._check_dtype(name, array.dtype, dtype)
        if self.dims is not None:
            for axis, extent in self.dims(extents, given).items():
                if extents.setdefault(axis, extent) != extent:
                    raise ShapeError(
                        f"axis {axis} has the wrong extent",
                        where=f"op {self.name}",
                        expected=extent,
                        actual=extents[axis],
                    )
        return extents

    def _match(self, name: str, axes: tuple[str, ...], shape: tuple[int, ...], extents: Extents) -> None:
        def refuse() -> ShapeError:
            known = [str(extents.get(axis, axis)) for axis in axes]
            return ShapeError(
                "wrong shape",
                where=f"op {self.name}, {name}",
                expected=f"({', '.join(axes)}) = ({', '.join(known)})",
                actual=shape,
            )

        if "..." in axes:
            head = axes.index("...")
            tail = len(axes) - head - 1
            if len(shape) < head + tail:
                raise refuse()
            stop = len(shape) - tail
            pairs = list(zip(axes[:head], shape[:head], strict=True))
            pairs += [("...", shape[head:stop])]  # type: ignore[list-item]
            pairs += list(zip(axes[head + 1 :], shape[stop:], strict=True))
        elif len(shape) != len(axes):
            raise refuse()
        else:
            pairs = list(zip(axes, shape, strict=True))
        for axis, extent in pairs:
            if (int(axis) if axis.isdigit() else extents.setdefault(axis, extent)) != extent:
                raise refuse()

    def _check_dtype(self, name: str, actual: Any, dtype: Any) -> Any:
        """Return the call's float type once it is known."""
        kind = self.kinds.get(name)
        if kind is None:
            if dtype is None and KINDS.get(actual.kind) in self.dtypes:
                return actual
            fits, expected = actual == dtype, dtype if dtype is not None else " or ".join(self.dtypes)
        elif kind == "any":
            return dtype
        elif kind in KINDS.values():
            fits, expected = KINDS.get(actual.kind) == kind, kind
        else:
            fits, expected = actual == np.dtype(kind), np.dtype(kind)
        if not fits:
            raise DtypeError("wrong element type", where=f"op {self.name}, {name}", expected=expected, actual=actual)
        return dtype


def op(
    *,
    out: tuple[str, ...] = (),
    adds: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    dtypes: tuple[str, ...] = ("float", "complex", "object"),
    dims: Callable[[Extents, dict[str, Any]], Extents] | None = None,
    flops: Callable[[Extents], int] | None = None,
    **shapes: str,
) -> Callable[[Kernel], Kernel]:
    """Declare a reference function as an op and enter it into `OPS`.

    Args:
        out: arrays that the op overwrites.
        adds: arrays that the op adds to.
        optional: arrays that may be None: an input that is absent, or an output that is not wanted.
        dtypes: the kinds of element type on which the reference is exact.
        dims: (extents, arguments) -> extents that must hold besides those which the shapes say.
        flops: extents -> floating-point operations of one call.
        shapes: axes of every array argument, by its name.
    """

    def declare(function: Kernel) -> Kernel:
        split = {name: [part.strip() for part in spec.split(":")] for name, spec in shapes.items()}
        parameters = tuple(inspect.signature(function).parameters)
        unknown = [name for name in (*shapes, *out, *adds, *optional) if name not in parameters]
        if unknown or not {*out, *adds} <= set(shapes):
            raise TypeError(f"op {function.__name__}: {unknown or 'an output'} is declared but is no array argument")
        if function.__name__ in OPS and OPS[function.__name__].reference.__module__ != function.__module__:
            raise TypeError(f"op {function.__name__} is declared twice")
        OPS[function.__name__] = Op(
            name=function.__name__,
            reference=function,
            parameters=parameters,
            axes={name: tuple(parts[0].split()) for name, parts in split.items()},
            kinds={name: parts[1] for name, parts in split.items() if len(parts) > 1},
            out=out,
            adds=adds,
            optional=optional,
            dtypes=dtypes,
            dims=dims,
            flops=flops,
        )
        return function

    return declare
