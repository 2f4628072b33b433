"""The types that these functions know. An emitted module has them by the same names."""

from typing import Any, TypeAlias

Array: TypeAlias = Any  # NumPy's own types of what its functions return are as loose as this
Pair: TypeAlias = tuple[int, int]
Border: TypeAlias = tuple[Pair, Pair]

TYPES = {"Array": "np.ndarray", "Pair": "tuple[int, int]", "Border": "tuple[Pair, Pair]"}
"""What they are in an emitted module."""
