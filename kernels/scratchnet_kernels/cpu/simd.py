"""A vector type for Numba: a register's worth of float32 or float64, whose values stay in registers.

Numba vectorises simple loops, but it cannot be told to keep a tile of sums in registers across a loop, and there all
the speed of a matrix product lies. A local variable of the type `Vector` is one LLVM vector, so LLVM allocates a
register for it as for any scalar. The tile kernels of this backend are written with it, by hand, in plain sight.

A vector has `VECTOR_BYTES` bytes whatever its element type. That is the one constant that depends on the machine: a
tile of 4 × 2 vectors must fill the register file and not spill out of it. LLVM lowers any width to any instruction
set, so a wrong guess costs speed and never a wrong result.

Intrinsics check no bounds. Indices are flat, into the memory of a C-contiguous array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.core
import numba.extending
from llvmlite import binding, ir
from numba.core import types
from numba.extending import models, register_model

# Numba's own annotations describe the Python function under the decorator, not what compiled code calls.
intrinsic: Callable[[Callable[..., Any]], Any] = numba.extending.intrinsic
config: Any = numba.core.config
cgutils: Any = numba.core.cgutils

I32 = ir.IntType(32)


def _vector_bytes() -> int:
    """The width of a vector on the instruction set that Numba compiles for."""
    if config.CPU_FEATURES is not None:  # NUMBA_CPU_FEATURES, or NUMBA_CPU_NAME=generic
        features = dict.fromkeys(config.CPU_FEATURES.replace("+", "").split(","), True)
    else:
        features = dict(binding.get_host_cpu_features())
    if features.get("avx512f") and features.get("avx512vl"):
        return 128  # 32 registers of 64 bytes: 8 sums take 16 of them
    if features.get("avx2") and features.get("fma"):
        return 32  # 16 registers of 32 bytes: 8 sums take 8 of them
    return 32 if features.get("neon") else 16  # 32 or 16 registers of 16 bytes


VECTOR_BYTES = _vector_bytes()
REGISTER_BYTES = 64  # of the widest registers there are; a vector may be two of them


class Vector(types.Type):
    """`VECTOR_BYTES` bytes of one float type."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.lanes = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"vector({dtype} x {self.lanes})")

    @property
    def element(self) -> Any:
        """The LLVM type of one lane."""
        return ir.FloatType() if self.dtype == types.float32 else ir.DoubleType()

    @property
    def llvm(self) -> Any:
        """The LLVM type of the whole."""
        return ir.VectorType(self.element, self.lanes)

    @property
    def suffix(self) -> str:
        """The ending of an LLVM intrinsic's name for this type."""
        return f"v{self.lanes}f{self.dtype.bitwidth}"


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)  # type: ignore[no-untyped-call, unused-ignore]


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, element: Any) -> Any:
    """&array[index], as a pointer to `element`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


def _splat(builder: Any, vector: Any, scalar: Any) -> Any:
    """A vector with `scalar` in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, vector.count), [0] * vector.count))


def _first(builder: Any, lanes: int, count: Any) -> Any:
    """The mask of the lanes below `count`."""
    numbers = ir.VectorType(I32, lanes)
    limit = _splat(builder, numbers, builder.trunc(count, I32))
    return builder.icmp_signed("<", ir.Constant(numbers, list(range(lanes))), limit)


def _call(builder: Any, name: str, result: Any, arguments: list[Any], **flags: Any) -> Any:
    """A call of the LLVM intrinsic `name`."""
    signature = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), arguments, **flags)


@intrinsic
def lanes(typing: Any, array: Any) -> Any:
    """How many elements of the array fill a vector: a constant of the compiled code."""
    count = Vector(array.dtype).lanes
    return types.intp(array), lambda context, builder, signature, arguments: context.get_constant(types.intp, count)


@intrinsic
def vzero(typing: Any, array: Any) -> Any:
    """Zero in every lane, of the array's element type."""
    vector = Vector(array.dtype)
    return vector(array), lambda context, builder, signature, arguments: ir.Constant(vector.llvm, [0.0] * vector.lanes)


@intrinsic
def vload(typing: Any, array: Any, index: Any) -> Any:
    """array[index : index + lanes]."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], vector.llvm)
        return builder.load(address, align=vector.dtype.bitwidth // 8)

    return vector(array, types.intp), generate


@intrinsic
def vload_n(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """array[index : index + count], and zero in the lanes from `count` on, whose memory is not touched."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], vector.llvm)
        mask = _first(builder, vector.lanes, arguments[2])
        align = ir.Constant(I32, vector.dtype.bitwidth // 8)
        zero = ir.Constant(vector.llvm, [0.0] * vector.lanes)
        return _call(builder, f"llvm.masked.load.{vector.suffix}.p0", vector.llvm, [address, align, mask, zero])

    return vector(array, types.intp, types.intp), generate


@intrinsic
def vstore(typing: Any, array: Any, index: Any, x: Any) -> Any:
    """array[index : index + lanes] = x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], x.llvm)
        builder.store(arguments[2], address, align=x.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), generate


@intrinsic
def vstore_n(typing: Any, array: Any, index: Any, x: Any, count: Any) -> Any:
    """array[index : index + count] = x[:count]. Memory beyond is not touched.

    A vector of several registers is stored one by one, and none of which no lane counts: even a store of nothing
    delays the loads that follow it where it would have gone, and that is where the next row of a matrix begins.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = min(x.lanes, REGISTER_BYTES * 8 // x.dtype.bitwidth)
        part, numbers = ir.VectorType(x.element, lanes), ir.VectorType(I32, lanes)
        align, undefined = ir.Constant(I32, x.dtype.bitwidth // 8), ir.Constant(x.llvm, ir.Undefined)
        for start in range(0, x.lanes, lanes):
            left = builder.sub(arguments[3], ir.Constant(arguments[3].type, start))
            with builder.if_then(builder.icmp_signed(">", left, ir.Constant(left.type, 0))):
                index = builder.add(arguments[1], ir.Constant(arguments[1].type, start))
                address = _address(context, builder, array, arguments[0], index, part)
                lanes_of = ir.Constant(numbers, list(range(start, start + lanes)))
                value = builder.shuffle_vector(arguments[2], undefined, lanes_of)
                name = f"llvm.masked.store.v{lanes}f{x.dtype.bitwidth}.p0"
                _call(builder, name, ir.VoidType(), [value, address, align, _first(builder, lanes, left)])
        return context.get_dummy_value()

    return types.void(array, types.intp, x, types.intp), generate


@intrinsic
def vbroadcast(typing: Any, array: Any, index: Any) -> Any:
    """array[index] in every lane."""
    vector = Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments[0], arguments[1], vector.element)
        return _splat(builder, vector.llvm, builder.load(address))

    return vector(array, types.intp), generate


@intrinsic
def vadd(typing: Any, x: Any, y: Any) -> Any:
    """x + y."""
    return x(x, y), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def vfma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z: fused where the hardware can, a product and a sum where it cannot (`llvm.fma` would call libm)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, f"llvm.fmuladd.{x.suffix}", x.llvm, list(arguments))

    return x(x, y, z), generate


@intrinsic
def vsum(typing: Any, x: Any) -> Any:
    """The sum over the lanes, in halves: a fixed order that is not the order of the lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.{x.suffix}"
        return _call(builder, name, x.element, [ir.Constant(x.element, 0.0), *arguments], fastmath=("reassoc",))

    return x.dtype(x), generate
