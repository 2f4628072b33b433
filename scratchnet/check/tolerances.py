"""Every tolerance of the checks, in one table, each with its reason. None of them grows with size."""

from __future__ import annotations

from typing import Any

import numpy as np

FINITE_STEP = 1e-6
"""h of the finite differences: one-sided slopes then bracket a smooth derivative to h·f″, and rounding is eps/h."""

FINITE_RELATIVE = 1e-6
"""Room around that bracket, for what f‴ adds to it and for sums of many slopes."""

COMPLEX_RELATIVE = 1e-12
"""Complex step: no subtraction, so only the rounding of the formula itself is left (some hundred operations)."""

COMPLEX_FLOOR = 1e-13
"""Times the largest cotangent: a gradient whose terms cancel (a norm's, a saturated y·(1-y)) keeps their rounding."""

COMPLEX_STEP = 1e-40
"""h of the complex step: so small that h² vanishes beside any double, and large enough not to be denormal."""

ROUNDING = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 2e-5, np.dtype(np.complex128): 1e-11}
"""Two orders of the same sums: relative to the largest element of the array, some hundred roundings of 1e-16 (6e-8)."""

FLOOR = 1e-2
"""Below a hundredth of the cotangent's size (which is 1) an array may be all rounding: a saturated y·(1-y) is."""


def rounding(dtype: Any) -> float:
    """The tolerance for two computations of one quantity that differ in the order of their sums."""
    return ROUNDING[np.dtype(dtype)]
