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


def _between(builder: Any, lanes: int, low: Any, high: Any) -> Any:
    """The mask of the lanes from `low` to below `high`."""
    numbers = ir.VectorType(I32, lanes)
    every = ir.Constant(numbers, list(range(lanes)))
    least = _splat(builder, numbers, builder.trunc(low, I32))
    return builder.and_(builder.icmp_signed(">=", every, least), _first(builder, lanes, high))


@intrinsic
def rload_range(typing: Any, array: Any, index: Any, low: Any, high: Any) -> Any:
    """array[index + lane] in the lanes low ≤ lane < high, and zero in all others, whose memory is not touched."""
    register = Register(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], register.llvm)
        mask = _between(builder, register.lanes, arguments[2], arguments[3])
        operands = [address, ir.Constant(I32, register.dtype.bitwidth // 8), mask, _zeros(register)]
        return _call(builder, f"llvm.masked.load.{register.suffix}.p0", register.llvm, operands)

    return register(array, types.intp, types.intp, types.intp), generate


@intrinsic
def rstore_range(typing: Any, array: Any, index: Any, x: Any, low: Any, high: Any) -> Any:
    """array[index + lane] = x[lane] in the lanes low ≤ lane < high. Other memory is not touched."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], x.llvm)
        mask = _between(builder, x.lanes, arguments[3], arguments[4])
        operands = [arguments[2], address, ir.Constant(I32, x.dtype.bitwidth // 8), mask]
        _call(builder, f"llvm.masked.store.{x.suffix}.p0", ir.VoidType(), operands)
        return context.get_dummy_value()

    return types.void(array, types.intp, x, types.intp, types.intp), generate


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
def rlargest(typing: Any, q0: Any, q1: Any, q2: Any, q3: Any) -> Any:
    """The largest of four; NaN where one of them is NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        largest = arguments[3]
        for q in arguments[2::-1]:  # which may lose a NaN
            largest = builder.select(builder.fcmp_ordered(">", q, largest), q, largest)
        q0, q1, q2, q3 = arguments
        unordered = builder.or_(builder.fcmp_unordered("uno", q0, q1), builder.fcmp_unordered("uno", q2, q3))
        nan = ir.Constant(signature.return_type.llvm, [float("nan")] * signature.return_type.lanes)
        return builder.select(unordered, nan, largest)

    return q0(q0, q1, q2, q3), generate


@intrinsic
def rrelu(typing: Any, x: Any) -> Any:
    """0 where x ≤ 0, else x: NaN stays."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = _zeros(x)
        return builder.select(builder.fcmp_ordered("<=", arguments[0], zeros), zeros, arguments[0])

    return x(x), generate


@intrinsic
def rstore_place(
    typing: Any, out: Any, index: Any, largest: Any, q0: Any, q1: Any, q2: Any, q3: Any, low: Any, high: Any
) -> Any:  # fmt: skip
    """out[index + lane] = which of q0, …, q3 is the first to equal `largest`, 4 where that is not positive.

    In the lanes low ≤ lane < high; other memory is not touched.
    """
    element = ir.IntType(out.dtype.bitwidth)
    numbers = ir.VectorType(element, largest.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, top, *quarters, least, limit = arguments
        place = ir.Constant(numbers, [3] * largest.lanes)
        for k in (2, 1, 0):
            here = builder.fcmp_ordered("==", quarters[k], top)
            place = builder.select(here, ir.Constant(numbers, [k] * largest.lanes), place)
        live = builder.fcmp_ordered(">", top, _zeros(largest))
        place = builder.select(live, place, ir.Constant(numbers, [4] * largest.lanes))
        address = _address(context, builder, out, array, at, numbers)
        mask = _between(builder, largest.lanes, least, limit)
        operands = [place, address, ir.Constant(I32, out.dtype.bitwidth // 8), mask]
        _call(builder, f"llvm.masked.store.v{largest.lanes}i{out.dtype.bitwidth}.p0", ir.VoidType(), operands)
        return context.get_dummy_value()

    return types.void(out, types.intp, largest, q0, q1, q2, q3, types.intp, types.intp), generate


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
