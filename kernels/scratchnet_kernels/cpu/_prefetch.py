"""A word to the memory: this will be read soon. It changes no result, and nothing it is told can fault."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit
from numba.core import types

from .simd import cgutils, intrinsic

LINE = 64  # bytes that come at once
I32 = ir.IntType(32)


@intrinsic
def _prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of array[index], flat in the memory of a C-contiguous array, for reading."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(context.make_array(array)(context, builder, arguments[0]).data, [arguments[1]])
        place = builder.bitcast(place, ir.IntType(8).as_pointer())
        settings = [ir.Constant(I32, n) for n in (0, 3, 1)]  # for reading; into every level; data
        kind = ir.FunctionType(ir.VoidType(), [place.type, I32, I32, I32])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0"), [place, *settings])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@njit(cache=True)
def prefetch(array: Any, start: int, stop: int) -> None:
    """Ask for array[start:stop], flat."""
    for i in range(start, stop, max(1, LINE // array.itemsize)):
        _prefetch(array, i)
