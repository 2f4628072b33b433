"""Asking for memory before it is needed.

The hardware foresees a plain loop over an array. It does not foresee masked loads, nor the jump from a channel's plane
in one image to the same channel's in the next, and there a kernel waits for each page's first lines. A fetch has no
result and no effect on one; the place may lie outside the array.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from .simd import REGISTER_BYTES, VECTOR_BYTES
from .simd._type import I32, address, call, intrinsic

LINE = 64  # bytes
AHEAD = 2048  # elements, about: what a kernel works on while the fetched lines arrive


def _fetching(nbytes: int) -> Any:
    def fetched(typing: Any, array: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            begin = address(context, builder, array, arguments[0], arguments[1], ir.IntType(8))
            settings = [ir.Constant(I32, 0), ir.Constant(I32, 3), ir.Constant(I32, 1)]  # to read, to keep, data
            for line in range(0, nbytes, LINE):
                pointer = builder.gep(begin, [ir.Constant(I32, line)])
                call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, *settings])
            return context.get_dummy_value()

        return types.void(array, types.intp), generate

    return intrinsic(fetched)


fetch = _fetching(VECTOR_BYTES)  # the cache lines of a vector at array[index]
fetch_register = _fetching(REGISTER_BYTES)  # those of a register
