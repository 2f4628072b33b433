"""How wide a vector is, by the instruction set that Numba compiles for."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("variables", "vector", "register"),
    [
        ({"NUMBA_CPU_NAME": "generic"}, 16, 16),
        ({"NUMBA_CPU_FEATURES": "-avx512f,-avx2,-neon"}, 16, 16),
        ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}, 32, 32),
        ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,-fma"}, 16, 16),
        ({"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "+avx2,+fma,+avx512f,+avx512vl"}, 128, 64),
        ({"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "+avx2,+fma,+avx512f,-avx512vl"}, 32, 32),
        ({"NUMBA_CPU_NAME": "cortex-a76", "NUMBA_CPU_FEATURES": "+neon"}, 32, 32),
    ],
)
def test_widths_by_instruction_set(variables, vector, register):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CPU_")}
    code = "from scratchnet_kernels.cpu import simd; print(simd.VECTOR_BYTES, simd.REGISTER_BYTES)"
    outcome = subprocess.run([sys.executable, "-c", code], env=plain | variables, capture_output=True, text=True)
    assert outcome.stdout.split() == [str(vector), str(register)], outcome.stderr
