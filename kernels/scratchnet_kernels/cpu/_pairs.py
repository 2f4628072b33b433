"""Registers whose lanes go to every second element: the way back from reven and rodd."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from .simd._type import I32, address, call, first, intrinsic, splat


@intrinsic
def store_pairs(typing: Any, out: Any, index: Any, x: Any, y: Any, count: Any) -> Any:
    """out[index + 2·v] = x[v] and out[index + 2·v + 1] = y[v] for v < count."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, even, odd, n = arguments
        numbers = ir.VectorType(I32, x.lanes)
        for half in range(2):
            lane = [half * x.lanes // 2 + v // 2 + v % 2 * x.lanes for v in range(x.lanes)]
            pairs = builder.shuffle_vector(even, odd, ir.Constant(numbers, lane))
            width = builder.sub(builder.shl(n, ir.Constant(n.type, 1)), ir.Constant(n.type, half * x.lanes))
            pointer = address(context, builder, out, array, start, x.llvm)
            operands = [pairs, pointer, ir.Constant(I32, x.dtype.bitwidth // 8), first(builder, x.lanes, width)]
            call(builder, f"llvm.masked.store.{x.suffix}.p0", ir.VoidType(), operands)
            start = builder.add(start, ir.Constant(start.type, x.lanes))
        return context.get_dummy_value()

    return types.void(out, types.intp, x, x, types.intp), generate


@intrinsic
def store_every_second(typing: Any, out: Any, index: Any, x: Any, count: Any) -> Any:
    """out[index + 2·v] = x[v] for v < count: what lies between is not touched."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, values, n = arguments
        numbers = ir.VectorType(I32, x.lanes)
        limit = splat(builder, numbers, builder.trunc(n, I32))
        even = ir.Constant(ir.VectorType(ir.IntType(1), x.lanes), [1, 0] * (x.lanes // 2))
        for half in range(2):
            lane = ir.Constant(numbers, [half * x.lanes // 2 + v // 2 for v in range(x.lanes)])
            doubled = builder.shuffle_vector(values, ir.Constant(x.llvm, ir.Undefined), lane)
            mask = builder.and_(builder.icmp_signed("<", lane, limit), even)
            pointer = address(context, builder, out, array, start, x.llvm)
            operands = [doubled, pointer, ir.Constant(I32, x.dtype.bitwidth // 8), mask]
            call(builder, f"llvm.masked.store.{x.suffix}.p0", ir.VoidType(), operands)
            start = builder.add(start, ir.Constant(start.type, x.lanes))
        return context.get_dummy_value()

    return types.void(out, types.intp, x, types.intp), generate
