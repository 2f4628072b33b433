"""What makes registers from memory. All else is done with them as with vectors: vfma, vadd, vstore, vstore_n, vsum."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from ._type import (
    I32,
    REGISTER_BYTES,
    Register,
    address,
    between,
    first,
    intrinsic,
    masked_load,
    masked_store,
    splat,
    zeros,
)


def register_lanes(dtype: Any) -> int:
    """How many elements of a NumPy element type fill a register."""
    return REGISTER_BYTES // int(dtype.itemsize)


@intrinsic
def rlanes(typing: Any, array: Any) -> Any:
    """How many elements of the array fill a register: a constant of the compiled code."""
    count = Register(array.dtype).lanes
    return types.intp(array), lambda context, builder, signature, arguments: context.get_constant(types.intp, count)


@intrinsic
def rzero(typing: Any, array: Any) -> Any:
    """Zero in every lane, of the array's element type."""
    register = Register(array.dtype)
    return register(array), lambda context, builder, signature, arguments: zeros(register)


@intrinsic
def rload(typing: Any, array: Any, index: Any) -> Any:
    """array[index : index + lanes]."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], register.llvm)
        return builder.load(pointer, align=register.dtype.bitwidth // 8)

    return register(array, types.intp), generate


@intrinsic
def rbroadcast(typing: Any, array: Any, index: Any) -> Any:
    """array[index] in every lane."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], register.element)
        return splat(builder, register.llvm, builder.load(pointer))

    return register(array, types.intp), generate


@intrinsic
def rload_n(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """array[index : index + count], and zero in the lanes from `count` on, whose memory is not touched."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], register.llvm)
        mask = first(builder, register.lanes, arguments[2])
        return masked_load(builder, register, pointer, mask)

    return register(array, types.intp, types.intp), generate


@intrinsic
def rload_range(typing: Any, array: Any, index: Any, low: Any, high: Any) -> Any:
    """array[index + lane] in the lanes low ≤ lane < high, and zero in all others, whose memory is not touched."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], register.llvm)
        mask = between(builder, register.lanes, arguments[2], arguments[3])
        return masked_load(builder, register, pointer, mask)

    return register(array, types.intp, types.intp, types.intp), generate


@intrinsic
def rstore_range(typing: Any, array: Any, index: Any, x: Any, low: Any, high: Any) -> Any:
    """array[index + lane] = x[lane] in the lanes low ≤ lane < high. Other memory is not touched."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = address(context, builder, array, arguments[0], arguments[1], x.llvm)
        mask = between(builder, x.lanes, arguments[3], arguments[4])
        masked_store(builder, x, arguments[2], pointer, mask)
        return context.get_dummy_value()

    return types.void(array, types.intp, x, types.intp, types.intp), generate


@intrinsic
def turn(typing: Any, x: Any, start: Any, row: Any, height: Any, width: Any, out: Any, begin: Any, column: Any) -> Any:
    """out[begin + j·column + i] = x[start + i·row + j] for i < height, j < width, both at most lanes.

    Other memory is not touched.
    """
    register = Register(x.dtype)
    L = register.lanes

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, at, step, rows, columns, target, to, stride = arguments
        zero, wide, tall = at.type(0), first(builder, L, columns), first(builder, L, rows)
        lines = []
        for i in range(L):
            # a row that is not there is read from where the first one lies, and no lane of it
            there = builder.icmp_signed("<", at.type(i), rows)
            index = builder.add(at, builder.mul(step, builder.select(there, at.type(i), zero)))
            mask = builder.and_(wide, splat(builder, wide.type, there))
            pointer = address(context, builder, x, source, index, register.llvm)
            lines.append(masked_load(builder, register, pointer, mask))
        half = 1
        while half < L:  # lanes of line i and line i + half change places, in blocks of `half`
            low = [lane if lane & half == 0 else L + lane - half for lane in range(L)]
            high = [lane + half if lane & half == 0 else L + lane for lane in range(L)]
            for i in (i for i in range(L) if i & half == 0):
                a, b = lines[i], lines[i + half]
                lines[i], lines[i + half] = (
                    builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, L), order)) for order in (low, high)
                )
            half *= 2
        for j in range(L):
            with builder.if_then(builder.icmp_signed("<", at.type(j), columns)):
                index = builder.add(to, builder.mul(stride, at.type(j)))
                pointer = address(context, builder, out, target, index, register.llvm)
                masked_store(builder, register, lines[j], pointer, tall)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, i, i, out, i, i), generate
