"""What makes vectors from memory, and what is done with them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from ._type import I32, Register, Vector, address, call, first, intrinsic, masked_load, masked_store, splat, zeros


@intrinsic
def memory(typing: Any, array: Any) -> Any:
    """The address of array[0], which stands for the array wherever this module takes one, and can be indexed.

    It is one number in one register, and keeps nothing alive. Numba hands on an array in seven, and may count the
    references to it, one after the other, at every call: 400 cycles for a tile of five arrays.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(array)(context, builder, arguments[0]).data

    pointer: Any = types.CPointer
    return pointer(array.dtype)(array), generate


@intrinsic
def lanes(typing: Any, array: Any) -> Any:
    """How many elements of the array fill a vector: a constant of the compiled code."""
    count = Vector(array.dtype).lanes
    return types.intp(array), lambda context, builder, signature, arguments: context.get_constant(types.intp, count)


@intrinsic
def vzero(typing: Any, array: Any) -> Any:
    """Zero in every lane, of the array's element type."""
    vector = Vector(array.dtype)
    return vector(array), lambda context, builder, signature, arguments: zeros(vector)


@intrinsic
def vload(typing: Any, array: Any, index: Any) -> Any:
    """array[index : index + lanes]."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], vector.llvm)
        return builder.load(pointer, align=vector.dtype.bitwidth // 8)

    return vector(array, types.intp), generate


@intrinsic
def vload_n(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """array[index : index + count], and zero in the lanes from `count` on, whose memory is not touched."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], vector.llvm)
        mask = first(builder, vector.lanes, arguments[2])
        return masked_load(builder, vector, pointer, mask)

    return vector(array, types.intp, types.intp), generate


@intrinsic
def vstore(typing: Any, array: Any, index: Any, x: Any) -> Any:
    """array[index : index + lanes] = x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], x.llvm)
        builder.store(arguments[2], pointer, align=x.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), generate


@intrinsic
def vstore_n(typing: Any, array: Any, index: Any, x: Any, count: Any) -> Any:
    """array[index : index + count] = x[:count]. Memory beyond is not touched.

    A vector of several registers is stored one by one, and none of which no lane counts: even a store of nothing
    delays the loads that follow it where it would have gone, and that is where the next row of a matrix begins.
    """
    register = Register(x.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_at, at, value, count = arguments
        undefined, numbers = ir.Constant(x.llvm, ir.Undefined), ir.VectorType(I32, register.lanes)
        for start in range(0, x.lanes, register.lanes):
            left = builder.sub(count, ir.Constant(count.type, start))
            with builder.if_then(builder.icmp_signed(">", left, ir.Constant(left.type, 0))):
                index = builder.add(at, ir.Constant(at.type, start))
                pointer = address(context, builder, array, array_at, index, register.llvm)
                lanes_of = ir.Constant(numbers, list(range(start, start + register.lanes)))
                part = builder.shuffle_vector(value, undefined, lanes_of)
                masked_store(builder, register, part, pointer, first(builder, register.lanes, left))
        return context.get_dummy_value()

    return types.void(array, types.intp, x, types.intp), generate


@intrinsic
def vbroadcast(typing: Any, array: Any, index: Any) -> Any:
    """array[index] in every lane."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], vector.element)
        return splat(builder, vector.llvm, builder.load(pointer))

    return vector(array, types.intp), generate


@intrinsic
def vadd(typing: Any, x: Any, y: Any) -> Any:
    """x + y."""
    return x(x, y), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def vfma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z: fused where the hardware can, a product and a sum where it cannot (`llvm.fma` would call libm)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return call(builder, f"llvm.fmuladd.{x.suffix}", x.llvm, list(arguments))

    return x(x, y, z), generate


@intrinsic
def vsum(typing: Any, x: Any) -> Any:
    """The sum over the lanes, in halves: a fixed order that is not the order of the lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.{x.suffix}"
        return call(builder, name, x.element, [ir.Constant(x.element, 0.0), *arguments], fastmath=("reassoc",))

    return x.dtype(x), generate
