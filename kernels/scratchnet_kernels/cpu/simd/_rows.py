"""Operations on vectors which rows of any length ask for: a tail over another vector, the larger of two,
and float64 lanes over an array of either float.

`w` operations take as many elements of an array as a vector of float64 has lanes, and convert: sums in float64 are then
written once for both.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from ._type import I32, Vector, address, call, first, intrinsic, splat


@intrinsic
def vload_or(typing: Any, array: Any, index: Any, count: Any, x: Any) -> Any:
    """array[index : index + count], and x in the lanes from `count` on, whose memory is not touched."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, array, arguments[0], arguments[1], x.llvm)
        mask = first(builder, x.lanes, arguments[2])
        align = ir.Constant(I32, x.dtype.bitwidth // 8)
        return call(builder, f"llvm.masked.load.{x.suffix}.p0", x.llvm, [place, align, mask, arguments[3]])

    return x(array, types.intp, types.intp, x), generate


@intrinsic
def vsplat(typing: Any, array: Any, scalar: Any) -> Any:
    """`scalar`, of the array's element type, in every lane."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return splat(builder, vector.llvm, arguments[1])

    return vector(array, array.dtype), generate


@intrinsic
def vmul(typing: Any, x: Any, y: Any) -> Any:
    """x·y."""
    return x(x, y), lambda context, builder, signature, arguments: builder.fmul(*arguments)


def _larger(builder: Any, x: Any, y: Any) -> Any:
    """x where it is above y, else y: one instruction on x86, and a NaN in either gives y."""
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


@intrinsic
def vmax(typing: Any, x: Any, y: Any) -> Any:
    """x where x > y, else y: y too where either is NaN. Who needs the NaN of x must look for it elsewhere."""
    return x(x, y), lambda context, builder, signature, arguments: _larger(builder, *arguments)


@intrinsic
def vpeak(typing: Any, x: Any) -> Any:
    """The largest lane. As in `vmax`, a NaN may be passed over."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, count = arguments[0], x.lanes
        while count > 1:
            count //= 2
            numbers = ir.VectorType(I32, count)
            low, high = ([*range(half * count, (half + 1) * count)] for half in (0, 1))
            undefined = ir.Constant(value.type, ir.Undefined)
            parts = [builder.shuffle_vector(value, undefined, ir.Constant(numbers, part)) for part in (low, high)]
            value = _larger(builder, *parts)
        return builder.extract_element(value, ir.Constant(I32, 0))

    return x.dtype(x), generate


def _wide(array: Any) -> tuple[Vector, Any, str]:
    """A vector of float64, and as many elements of the array: their LLVM type and its ending."""
    vector = Vector(types.float64)
    return vector, ir.VectorType(Vector(array.dtype).element, vector.lanes), f"v{vector.lanes}f{array.dtype.bitwidth}"


@intrinsic
def wload(typing: Any, array: Any, index: Any) -> Any:
    """array[index : index + lanes] as float64, whatever the element type, so lanes of a float64 array."""
    vector, narrow, _ = _wide(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, array, arguments[0], arguments[1], narrow)
        x = builder.load(place, align=array.dtype.bitwidth // 8)
        return x if narrow == vector.llvm else builder.fpext(x, vector.llvm)

    return vector(array, types.intp), generate


@intrinsic
def wload_or(typing: Any, array: Any, index: Any, count: Any, x: Any) -> Any:
    """array[index : index + count] as float64, and x in the lanes from `count` on, whose memory is not touched."""
    vector, narrow, suffix = _wide(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, array, arguments[0], arguments[1], narrow)
        mask, zero = first(builder, vector.lanes, arguments[2]), ir.Constant(narrow, [0.0] * vector.lanes)
        align = ir.Constant(I32, array.dtype.bitwidth // 8)
        y = call(builder, f"llvm.masked.load.{suffix}.p0", narrow, [place, align, mask, zero])
        return builder.select(mask, y if narrow == vector.llvm else builder.fpext(y, vector.llvm), arguments[3])

    return vector(array, types.intp, types.intp, vector), generate


@intrinsic
def wstore(typing: Any, array: Any, index: Any, x: Any) -> Any:
    """array[index : index + lanes] = x, rounded from float64 to the element type."""
    vector, narrow, _ = _wide(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, array, arguments[0], arguments[1], narrow)
        y = arguments[2] if narrow == vector.llvm else builder.fptrunc(arguments[2], narrow)
        builder.store(y, place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def wstore_n(typing: Any, array: Any, index: Any, x: Any, count: Any) -> Any:
    """array[index : index + count] = x[:count], rounded from float64. Memory beyond is not touched."""
    vector, narrow, suffix = _wide(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, array, arguments[0], arguments[1], narrow)
        y = arguments[2] if narrow == vector.llvm else builder.fptrunc(arguments[2], narrow)
        mask, align = first(builder, vector.lanes, arguments[3]), ir.Constant(I32, array.dtype.bitwidth // 8)
        call(builder, f"llvm.masked.store.{suffix}.p0", ir.VoidType(), [y, place, align, mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, vector, types.intp), generate
