"""The types `Vector` and `Register`, how wide they are on this machine, and what their operations are built from."""

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
    # LLVM takes the features of the processor named, and NUMBA_CPU_FEATURES adds to them or takes away. Those of
    # another processor than this are not known here: only what the list adds is counted.
    listed = (config.CPU_FEATURES or "").split(",")
    here = config.CPU_FEATURES is None or config.CPU_NAME in (None, binding.get_host_cpu_name())
    features = dict(binding.get_host_cpu_features()) if here else {}
    features |= {feature[1:]: feature[0] == "+" for feature in listed if feature}
    if features.get("avx512f") and features.get("avx512vl"):
        return 128  # 32 registers of 64 bytes: 8 sums take 16 of them
    if features.get("avx2") and features.get("fma"):
        return 32  # 16 registers of 32 bytes: 8 sums take 8 of them
    return 32 if features.get("neon") else 16  # 32 or 16 registers of 16 bytes


VECTOR_BYTES = _vector_bytes()
REGISTER_BYTES = min(64, VECTOR_BYTES)


class Vector(types.Type):
    """`VECTOR_BYTES` bytes of one float type."""

    kind, width = "vector", VECTOR_BYTES

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        self.lanes = self.width * 8 // dtype.bitwidth
        super().__init__(name=f"{self.kind}({dtype} x {self.lanes})")

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


class Register(Vector):
    """`REGISTER_BYTES` bytes of one float type: for tiles of more than eight sums."""

    kind, width = "register", REGISTER_BYTES


@register_model(Vector)
@register_model(Register)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)  # type: ignore[no-untyped-call, unused-ignore]


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, element: Any) -> Any:
    """&array[index], as a pointer to `element`."""
    pointer = isinstance(array_type, types.CPointer)
    data = array if pointer else context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


def splat(builder: Any, vector: Any, scalar: Any) -> Any:
    """A vector with `scalar` in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, vector.count), [0] * vector.count))


def first(builder: Any, lanes: int, count: Any) -> Any:
    """The mask of the lanes below `count`."""
    numbers = ir.VectorType(I32, lanes)
    limit = splat(builder, numbers, builder.trunc(count, I32))
    return builder.icmp_signed("<", ir.Constant(numbers, list(range(lanes))), limit)


def call(builder: Any, name: str, result: Any, arguments: list[Any], **flags: Any) -> Any:
    """A call of the LLVM intrinsic `name`."""
    signature = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), arguments, **flags)


def zeros(vector: Any) -> Any:
    """Zero in every lane."""
    return ir.Constant(vector.llvm, [0.0] * vector.lanes)


def between(builder: Any, lanes: int, low: Any, high: Any) -> Any:
    """The mask of the lanes from `low` to below `high`."""
    numbers = ir.VectorType(I32, lanes)
    least = splat(builder, numbers, builder.trunc(low, I32))
    above = builder.icmp_signed(">=", ir.Constant(numbers, list(range(lanes))), least)
    return builder.and_(above, first(builder, lanes, high))


def masked_load(builder: Any, vector: Any, pointer: Any, mask: Any) -> Any:
    """Zero in the lanes outside the mask, whose memory is not touched."""
    align = ir.Constant(I32, vector.dtype.bitwidth // 8)
    return call(builder, f"llvm.masked.load.{vector.suffix}.p0", vector.llvm, [pointer, align, mask, zeros(vector)])


def masked_store(builder: Any, vector: Any, value: Any, pointer: Any, mask: Any) -> None:
    """Memory outside the mask is not touched."""
    align = ir.Constant(I32, vector.dtype.bitwidth // 8)
    call(builder, f"llvm.masked.store.{vector.suffix}.p0", ir.VoidType(), [value, pointer, align, mask])
