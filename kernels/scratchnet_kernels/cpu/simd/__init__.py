"""A vector type for Numba: a register's worth of float32 or float64, whose values stay in registers.

Numba vectorises simple loops, but it cannot be told to keep a tile of sums in registers across a loop, and there all
the speed of a matrix product lies. A local variable of the type `Vector` is one LLVM vector, so LLVM allocates a
register for it as for any scalar. The tile kernels of this backend are written with it, by hand, in plain sight.

A vector has `VECTOR_BYTES` bytes whatever its element type. That is the one constant that depends on the machine: a
tile of 4 × 2 vectors must fill the register file and not spill out of it. LLVM lowers any width to any instruction
set, so a wrong guess costs speed and never a wrong result.

Intrinsics check no bounds. Indices are flat, into the memory of a C-contiguous array.
"""

from ._register import (
    rbroadcast,
    register_lanes,
    rlanes,
    rload,
    rload_n,
    rload_range,
    rstore_range,
    rzero,
    turn,
)
from ._rows import vload_or, vmax, vmul, vpeak, vsplat, wload, wload_or, wstore, wstore_n
from ._type import REGISTER_BYTES, VECTOR_BYTES, Register, Vector
from ._vector import lanes, memory, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vsum, vzero
from ._windows import reven, rlargest, rodd, rrelu, rroute, rstore_place

__all__ = [
    "REGISTER_BYTES",
    "VECTOR_BYTES",
    "Register",
    "Vector",
    "lanes",
    "memory",
    "rbroadcast",
    "register_lanes",
    "reven",
    "rlanes",
    "rlargest",
    "rload",
    "rload_n",
    "rload_range",
    "rodd",
    "rrelu",
    "rroute",
    "rstore_place",
    "rstore_range",
    "rzero",
    "turn",
    "vadd",
    "vbroadcast",
    "vfma",
    "vload",
    "vload_n",
    "vload_or",
    "vmax",
    "vmul",
    "vpeak",
    "vsplat",
    "vstore",
    "vstore_n",
    "vsum",
    "vzero",
    "wload",
    "wload_or",
    "wstore",
    "wstore_n",
]
