"""The types that these functions know. An emitted module has them by the same names."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Pair: TypeAlias = tuple[int, int]
Border: TypeAlias = tuple[Pair, Pair]

TYPES = {"Array": "np.ndarray", "Pair": "tuple[int, int]", "Border": "tuple[Pair, Pair]"}
"""What they are in an emitted module."""
