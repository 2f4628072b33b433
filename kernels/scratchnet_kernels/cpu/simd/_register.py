"""What makes registers from memory. All else is done with them as with vectors: vfma, vadd, vstore, vstore_n, vsum."""

from __future__ import annotations

from typing import Any

from numba.core import types

from ._type import REGISTER_BYTES, Register, address, between, first, intrinsic, masked_load, masked_store, splat, zeros


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
