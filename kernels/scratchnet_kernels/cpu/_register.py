"""One register's worth of lanes: for tiles of more than eight sums, which vectors of two registers would not fit.

`simd.Vector` is two registers wide on AVX-512. What `simd` does with vectors (vfma, vadd, vstore, vsum) it does with
these too; only what makes one from memory has a name of its own.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import models, register_model

from .simd import I32, VECTOR_BYTES, Vector, _address, _call, _first, _splat, intrinsic

REGISTER_BYTES = min(64, VECTOR_BYTES)


class Register(Vector):
    """`REGISTER_BYTES` bytes of one float type."""

    def __init__(self, dtype: types.Float) -> None:
        super().__init__(dtype)
        self.lanes = REGISTER_BYTES * 8 // dtype.bitwidth
        self.name = f"register({dtype} x {self.lanes})"


@register_model(Register)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, register: Register) -> None:
        super().__init__(manager, register, register.llvm)  # type: ignore[no-untyped-call, unused-ignore]


def register_lanes(dtype: Any) -> int:
    """How many elements of a NumPy element type fill a register."""
    return REGISTER_BYTES // int(dtype.itemsize)


def _zeros(register: Any) -> Any:
    return ir.Constant(register.llvm, [0.0] * register.lanes)


@intrinsic
def rlanes(typing: Any, array: Any) -> Any:
    """How many elements of the array fill a register: a constant of the compiled code."""
    count = Register(array.dtype).lanes
    return types.intp(array), lambda context, builder, signature, arguments: context.get_constant(types.intp, count)


@intrinsic
def rzero(typing: Any, array: Any) -> Any:
    """Zero in every lane, of the array's element type."""
    register = Register(array.dtype)
    return register(array), lambda context, builder, signature, arguments: _zeros(register)


@intrinsic
def rload(typing: Any, array: Any, index: Any) -> Any:
    """array[index : index + lanes]."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], register.llvm)
        return builder.load(address, align=register.dtype.bitwidth // 8)

    return register(array, types.intp), generate


@intrinsic
def rbroadcast(typing: Any, array: Any, index: Any) -> Any:
    """array[index] in every lane."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], register.element)
        return _splat(builder, register.llvm, builder.load(address))

    return register(array, types.intp), generate


@intrinsic
def rload_n(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """array[index : index + count], and zero in the lanes from `count` on, whose memory is not touched."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], register.llvm)
        mask = _first(builder, register.lanes, arguments[2])
        operands = [address, ir.Constant(I32, register.dtype.bitwidth // 8), mask, _zeros(register)]
        return _call(builder, f"llvm.masked.load.{register.suffix}.p0", register.llvm, operands)

    return register(array, types.intp, types.intp), generate


def _every_second(x: Any, first: int) -> Any:
    numbers = ir.Constant(ir.VectorType(I32, x.lanes), [2 * lane + first for lane in range(x.lanes)])
    return lambda context, builder, signature, arguments: builder.shuffle_vector(*arguments, numbers)


@intrinsic
def reven(typing: Any, x: Any, y: Any) -> Any:
    """Lanes 0, 2, 4, … of x, followed by those of y."""
    return x(x, y), _every_second(x, 0)


@intrinsic
def rodd(typing: Any, x: Any, y: Any) -> Any:
    """Lanes 1, 3, 5, … of x, followed by those of y."""
    return x(x, y), _every_second(x, 1)


@intrinsic
def rmax(typing: Any, x: Any, y: Any) -> Any:
    """The larger; NaN where either is NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, second = arguments
        wins = builder.or_(builder.fcmp_ordered(">", second, first), builder.fcmp_unordered("uno", second, second))
        return builder.select(wins, second, first)

    return x(x, y), generate


@intrinsic
def rrelu(typing: Any, x: Any) -> Any:
    """0 where x ≤ 0, else x: NaN stays."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = _zeros(x)
        return builder.select(builder.fcmp_ordered("<=", arguments[0], zeros), zeros, arguments[0])

    return x(x), generate


@intrinsic
def rstore_place(
    typing: Any, out: Any, index: Any, largest: Any, q0: Any, q1: Any, q2: Any, q3: Any, count: Any
) -> Any:  # fmt: skip
    """out[index : index + count] = which of q0, …, q3 is the first to equal `largest`; 4 where that is not positive."""
    element = ir.IntType(out.dtype.bitwidth)
    numbers = ir.VectorType(element, largest.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, top, *quarters, n = arguments
        place = ir.Constant(numbers, [3] * largest.lanes)
        for k in (2, 1, 0):
            here = builder.fcmp_ordered("==", quarters[k], top)
            place = builder.select(here, ir.Constant(numbers, [k] * largest.lanes), place)
        live = builder.fcmp_ordered(">", top, _zeros(largest))
        place = builder.select(live, place, ir.Constant(numbers, [4] * largest.lanes))
        address = _address(context, builder, out, array, at, numbers)
        operands = [place, address, ir.Constant(I32, out.dtype.bitwidth // 8), _first(builder, largest.lanes, n)]
        _call(builder, f"llvm.masked.store.v{largest.lanes}i{out.dtype.bitwidth}.p0", ir.VoidType(), operands)
        return context.get_dummy_value()

    return types.void(out, types.intp, largest, q0, q1, q2, q3, types.intp), generate


@intrinsic
def rroute(typing: Any, at: Any, index: Any, place: Any, dy: Any, count: Any) -> Any:
    """The lanes of dy where at[index : index + count] is `place`, and zero in all others."""
    element = ir.IntType(at.dtype.bitwidth)
    numbers = ir.VectorType(element, dy.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, wanted, x, n = arguments
        address = _address(context, builder, at, array, start, numbers)
        mask = _first(builder, dy.lanes, n)
        nowhere = ir.Constant(numbers, [255] * dy.lanes)
        operands = [address, ir.Constant(I32, at.dtype.bitwidth // 8), mask, nowhere]
        places = _call(builder, f"llvm.masked.load.v{dy.lanes}i{at.dtype.bitwidth}.p0", numbers, operands)
        here = builder.icmp_unsigned("==", places, _splat(builder, numbers, builder.trunc(wanted, element)))
        return builder.select(here, x, _zeros(dy))

    return dy(at, types.intp, types.intp, dy, types.intp), generate
