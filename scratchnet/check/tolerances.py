"""Every tolerance of the checks, in one table, each with its reason. None of them grows with size."""

from __future__ import annotations

from typing import Any

import numpy as np

FINITE_STEP = 1e-5
"""h of the finite differences: for functions of order one in float64, truncation h² and rounding eps/h are alike."""

FINITE_RELATIVE = 1e-6
"""Finite differences against the analytic derivative: truncation, h²·f‴/6, with room for a large third derivative."""

COMPLEX_RELATIVE = 1e-12
"""Complex step: no subtraction, so only the rounding of the formula itself is left (some hundred operations)."""

COMPLEX_STEP = 1e-40
"""h of the complex step: so small that h² vanishes beside any double, and large enough not to be denormal."""

ROUNDING = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 2e-5, np.dtype(np.complex128): 1e-11}
"""Two orders of the same sums: relative to the largest element of the array, some hundred roundings of 1e-16 (6e-8)."""


def rounding(dtype: Any) -> float:
    """The tolerance for two computations of one quantity that differ in the order of their sums."""
    return ROUNDING[np.dtype(dtype)]
