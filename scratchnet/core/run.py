"""One pass through the layers: its memory, its mode, and the only way from a composite to its children."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet_kernels.workspace import aligned, debugging, poison

from .errors import ScratchnetError
from .types import Array, Shape, Views

if TYPE_CHECKING:
    from .plan import Recorder


class Pool:
    """Slabs by element type and size, handed out best fit: the smallest that is large enough.

    So a ragged last batch finds the slabs of the full one, and a step in steady state allocates nothing.

    Args:
        debug: whether leased memory is filled with NaN first; as SCRATCHNET_DEBUG says if None.
    """

    def __init__(self, debug: bool | None = None) -> None:
        self._free: dict[np.dtype[Any], dict[int, list[Array]]] = {}
        self.made = 0  # slabs made so far
        self.debug = debugging() if debug is None else debug

    def take(self, size: int, dtype: Any) -> Array:
        """A flat slab of at least `size` elements."""
        by_size = self._free.get(dtype)
        if by_size is not None:
            exact = by_size.get(size)
            if exact:
                return exact.pop()
            best = min((n for n, slabs in by_size.items() if n >= size and slabs), default=None)
            if best is not None:
                return by_size[best].pop()
        self.made += 1
        return aligned(size, dtype)

    def give(self, slabs: list[Array]) -> None:
        """Take slabs back. Arrays of objects are left to the garbage collector."""
        for slab in slabs:
            if not slab.dtype.hasobject:
                self._free.setdefault(slab.dtype, {}).setdefault(slab.size, []).append(slab)


def blame(error: Exception, path: str, culprit: object) -> None:
    """Make an error say in which layer it arose, unless it says so already."""
    if not isinstance(error, ScratchnetError):
        if not getattr(error, "__notes__", None):
            error.add_note(f"in layer {path}, {culprit!r}")
    elif error.layer is None:
        error.layer = path
        error.where = f"layer {path}" + (f", {error.where}" if error.where else "")


class SideInputs(dict[str, Array]):
    """Side inputs by name. Remembers which were asked for, so that a misspelt one is not passed over in silence."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """The side input of that name, or the default where it was not given."""
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Array:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


class Run:
    """What a layer's forward or backward may ask for besides its arguments.

    Attributes:
        training: whether this is a training forward (and its backward).
        need_dx: whether the caller wants the gradient with respect to x.
        count: int64 array of one element: how many training forwards the network has made, this one included.
        side: side inputs by name, such as a mask.
        path: the names from the network down to the layer being called, joined with dots.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        training: bool,
        count: Array,
        seed: int = 0,
        side: Mapping[str, Array] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.training = training
        self.need_dx = False
        self.count = count
        self.side = SideInputs(side or {})
        self.path = ""
        self.leased: list[Array] = []
        self.updates: dict[str, Array] = {}
        self.pool = pool
        self._seed = seed
        self._scratch: list[Array] = []
        self._recorder = recorder

    def empty(self, shape: Shape, dtype: Any) -> Array:
        """An uninitialised array that lives as long as the tape."""
        return self._lease(shape, dtype, self.leased)

    def scratch(self, shape: Shape, dtype: Any) -> Array:
        """An uninitialised array that lives until the layer's method returns."""
        return self._lease(shape, dtype, self._scratch)

    def _lease(self, shape: Shape, dtype: Any, owner: list[Array]) -> Array:
        size = math.prod(shape)
        slab = self.pool.take(size, np.dtype(dtype))
        owner.append(slab)
        array = (slab if slab.size == size else slab[:size]).reshape(shape)
        if self.pool.debug:
            poison(array)
        if self._recorder is not None:
            self._recorder.lease(slab, "scratch" if owner is self._scratch else "tape")
        return array

    def key(self) -> tuple[int, int]:
        """(seed, layer): what keys this layer's random numbers, besides the count of forwards."""
        return self._seed & 0xFFFFFFFF, zlib.crc32(self.path.encode())

    def update(self, name: str, new: Array) -> None:
        """Propose a new value of a buffer. The Network commits it after a training forward."""
        self.updates[f"{self.path}.{name}" if self.path else name] = new

    def call(self, name: str, method: Callable[..., Any], k: Any, *args: Any, need_dx: bool = False) -> Any:
        """Call a child's forward or backward: its names, its random keys, its scratch, its path in errors.

        Views among the arguments are narrowed to the child's own names.
        """
        outer = self.path, self.need_dx, self._scratch
        self.path, self.need_dx, self._scratch = (f"{self.path}.{name}" if self.path else name), need_dx, []
        try:
            return method(k, *[a.scope(name) if isinstance(a, Views) else a for a in args], self)
        except Exception as error:
            blame(error, self.path, getattr(method, "__self__", method))
            raise
        finally:
            if self._recorder is None:
                self.pool.give(self._scratch)
            self.path, self.need_dx, self._scratch = outer
