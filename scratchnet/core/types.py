"""The names for arrays, shapes and named views that the whole house uses."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
DType: TypeAlias = np.dtype[Any]


class Views(dict[str, Array]):
    """Named arrays: "W", or "body.0.W" seen from outside. `scope("body")` gives the names that begin with "body."."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._scopes: dict[str, Views] = {}

    def scope(self, name: str) -> Views:
        """The views of one child, under the child's own names. Made once, then remembered."""
        child = self._scopes.get(name)
        if child is None:
            prefix = name + "."
            child = Views({key[len(prefix) :]: view for key, view in self.items() if key.startswith(prefix)})
            self._scopes[name] = child
        return child
