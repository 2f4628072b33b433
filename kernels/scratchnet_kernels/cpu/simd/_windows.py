"""Operations on registers whose lanes are windows of a pooling, or the elements of a row under them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from ._type import I32, address, between, call, first, intrinsic, splat, zeros


def _every_second(x: Any, start: int) -> Any:
    numbers = ir.Constant(ir.VectorType(I32, x.lanes), [2 * lane + start for lane in range(x.lanes)])
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
        zero = zeros(x)
        return builder.select(builder.fcmp_ordered("<=", arguments[0], zero), zero, arguments[0])

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
        live = builder.fcmp_ordered(">", top, zeros(largest))
        place = builder.select(live, place, ir.Constant(numbers, [4] * largest.lanes))
        pointer = address(context, builder, out, array, at, numbers)
        mask = between(builder, largest.lanes, least, limit)
        operands = [place, pointer, ir.Constant(I32, out.dtype.bitwidth // 8), mask]
        call(builder, f"llvm.masked.store.v{largest.lanes}i{out.dtype.bitwidth}.p0", ir.VoidType(), operands)
        return context.get_dummy_value()

    return types.void(out, types.intp, largest, q0, q1, q2, q3, types.intp, types.intp), generate


@intrinsic
def rroute(typing: Any, at: Any, index: Any, place: Any, dy: Any, count: Any) -> Any:
    """The lanes of dy where at[index : index + count] is `place`, and zero in all others."""
    element = ir.IntType(at.dtype.bitwidth)
    numbers = ir.VectorType(element, dy.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, wanted, x, n = arguments
        pointer = address(context, builder, at, array, start, numbers)
        mask = first(builder, dy.lanes, n)
        nowhere = ir.Constant(numbers, [255] * dy.lanes)
        operands = [pointer, ir.Constant(I32, at.dtype.bitwidth // 8), mask, nowhere]
        places = call(builder, f"llvm.masked.load.v{dy.lanes}i{at.dtype.bitwidth}.p0", numbers, operands)
        here = builder.icmp_unsigned("==", places, splat(builder, numbers, builder.trunc(wanted, element)))
        return builder.select(here, x, zeros(dy))

    return dy(at, types.intp, types.intp, dy, types.intp), generate
