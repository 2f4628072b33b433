"""Every tolerance of the checks, in one table, each with its reason. None of them grows with size."""

from __future__ import annotations

from typing import Any

import numpy as np

FINITE_STEPS = (2.0**-4, 2.0**-8, 2.0**-12, 2.0**-16)
"""Steps that five-point differences choose from, in units of the argument: they err by h⁴·f⁽⁵⁾/30 and by eps/h."""

FINITE_RELATIVE = 1e-6
"""Room for a slope besides the measured noise: five-point differences of a smooth function reach 1e-9 and better."""

KINK_STEP = 1e-6
"""h of one-sided slopes: they bracket a smooth derivative to h·f″, and rounding is eps/h."""

COMPLEX_RELATIVE = 1e-12
"""Complex step: no subtraction, so only the rounding of the formula itself is left (some hundred operations)."""

COMPLEX_FLOOR = 1e-13
"""Times the largest cotangent: a gradient whose terms cancel (a norm's, a saturated y·(1-y)) keeps their rounding."""

COMPLEX_STEP = 1e-40
"""h of the complex step: so small that h² vanishes beside any double, and large enough not to be denormal."""

DIGITS_RELATIVE = 1e-30
"""100 digits: differences with h = 1e-33 err by 1e-66; what is claimed must agree to 30 digits at least."""

DIGITS_FLOOR = 1e-50
"""Times the largest output and cotangent: a gradient of zero may be the rounding of terms that cancel."""

UNTRUSTED_RELATIVE = 1e-13
"""The same for anyone's formulas, whose constants are floats: 2/3 in the forward need not be 1 - 1/3 behind it."""

AFFINE_ROUNDINGS = 64
"""Roundings allowed to each output of an affine function, in units of the last place of the largest."""

ROUNDING = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 2e-5, np.dtype(np.complex128): 1e-11}
"""Two orders of the same sums: relative to the largest element of the array, some hundred roundings of 1e-16 (6e-8)."""

FLOOR = 1e-2
"""Below a hundredth of the cotangent's size (1, or its largest entry) an array may be all rounding: a saturated
y·(1-y) is."""


def rounding(dtype: Any) -> float:
    """The tolerance for two computations of one quantity that differ in the order of their sums."""
    return ROUNDING[np.dtype(dtype)]


JITTER = 2.0**-26
"""Relative steps to either side of the inputs: g(+) - 2g + g(-) is h²·g″, below rounding, and so g's own rounding, …"""

JITTERS = 3
"""… measured so many times, …"""

JITTER_ROOM = 16.0
"""… and a claim may be off by so many times that: nothing for a well-behaved formula, more where terms cancel, …"""

JITTER_MOST = 1e-6
"""… but never by more than this share of the largest entry: what moves farther is random, or wrong."""

NEARBY = 1e-7
"""Distance, in units of an argument, of the points around a kink whose gradients span its generalised gradient."""

NEIGHBOURS = 32
"""How many of them are looked at (gradient sampling: Burke, Lewis & Overton 2005)."""

ASIDE = 1e-4
"""Distance, in units of an argument, at which a gradient is looked at that is no subgradient where kinks meet."""
