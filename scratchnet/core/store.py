"""The store: one flat array and named, aligned views into it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scratchnet_kernels.workspace import ALIGNMENT, aligned

from .errors import ConfigError, ShapeError
from .layer import ParamSpec
from .types import Array, Shape, Views


@dataclass
class Segment:
    """One view's place in the flat array, and how an optimizer treats it."""

    name: str
    start: int
    stop: int
    shape: Shape
    lr: float
    decay: float
    frozen: bool = False


class Store:
    """Named arrays that lie in one flat array, each on a 64-byte boundary, with zeros between them.

    So an optimizer step is one kernel, a global norm one reduction, and a copy of everything one copy.

    Args:
        specs: what to hold, by name.
        dtype: element type of all of it.
        ties: {"4.W": "0.W"}: the first name becomes another name of the second's view.
    """

    def __init__(self, specs: Mapping[str, ParamSpec], dtype: Any, ties: Mapping[str, str] | None = None) -> None:
        ties = dict(ties or {})
        for name, target in ties.items():
            if name not in specs or target not in specs or target in ties:
                raise ConfigError("a tie joins two parameters of the network", actual=f"{name} = {target}")
            if specs[name].shape != specs[target].shape:
                raise ShapeError(
                    "tied parameters have one shape", where=name, expected=specs[target].shape, actual=specs[name].shape
                )
        self.specs, self.ties, self.dtype = dict(specs), ties, np.dtype(dtype)
        self.version = 0  # grows whenever values change; a tape remembers it
        self.segments: dict[str, Segment] = {}
        step = ALIGNMENT // math.gcd(ALIGNMENT, self.dtype.itemsize)
        used = 0
        for name, spec in specs.items():
            if name not in ties:
                stop = used + math.prod(spec.shape)
                self.segments[name] = Segment(name, used, stop, spec.shape, spec.lr, spec.decay)
                used = stop + (-stop % step)
        self.flat = aligned(used, self.dtype)
        self.views = Views({name: self._view(self.segments[ties.get(name, name)]) for name in specs})

    def _view(self, segment: Segment) -> Array:
        return self.flat[segment.start : segment.stop].reshape(segment.shape)

    def like(self) -> Store:
        """A store of zeros with the same layout."""
        return Store(self.specs, self.dtype, self.ties)

    def zero(self) -> None:
        """Set every number to 0."""
        numbers = self.flat if self.dtype.hasobject else self.flat.view(np.uint8)
        numbers.fill(0)  # of bytes NumPy makes a memset, which is twice as fast as its loop over floats

    def copy(self) -> Store:
        """A store of its own with the same values, multipliers and frozen parameters."""
        twin = self.like()
        twin.flat[...] = self.flat
        twin.version = self.version
        twin.segments = {name: replace(segment) for name, segment in self.segments.items()}
        return twin

    def initialize(self, seed: int) -> None:
        """Fill every view by its spec, from a generator keyed by (seed, name), drawn in float64 and cast."""
        for name, segment in self.segments.items():
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            self._view(segment)[...] = self.specs[name].init(rng, segment.shape)
        self.version += 1

    def runs(self) -> Iterator[tuple[slice, float, float]]:
        """Stretches of the flat array under one (lr, decay) multiplier, frozen ones left out. Mostly there is one."""
        stretch: tuple[int, int, float, float] | None = None
        for s in [*self.segments.values(), None]:
            if s and stretch and not s.frozen and (s.lr, s.decay) == stretch[2:]:
                stretch = (stretch[0], s.stop, s.lr, s.decay)
                continue
            if stretch:
                yield slice(stretch[0], stretch[1]), stretch[2], stretch[3]
            stretch = (s.start, s.stop, s.lr, s.decay) if s and not s.frozen else None

    def freeze(self, prefix: str, frozen: bool = True) -> list[str]:
        """Freeze (or thaw) every parameter called `prefix` or below it; return their names.

        A tied parameter is frozen under all of its names. Raises ConfigError where there is none.
        """
        names = [name for name in self.specs if name == prefix or name.startswith(prefix + ".")]
        if not names:
            raise ConfigError(f"there is no parameter {prefix!r}", expected=", ".join(self.specs))
        for name in names:
            self.segments[self.ties.get(name, name)].frozen = frozen
        return names

    def snapshot(self) -> dict[str, Array]:
        """Copies by name."""
        return {name: view.copy() for name, view in self.views.items()}

    def load(self, arrays: Mapping[str, Any]) -> None:
        """Take over values by name. Nothing is changed unless all names and shapes fit."""
        missing, unknown = sorted(set(self.views) - set(arrays)), sorted(set(arrays) - set(self.views))
        if missing or unknown:
            raise ConfigError(
                "these are the arrays of another network",
                expected=", ".join(self.views),
                actual=f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}",
            )
        for name, view in self.views.items():
            if np.shape(arrays[name]) != view.shape:
                raise ShapeError("wrong shape", where=name, expected=view.shape, actual=np.shape(arrays[name]))
        for name, view in self.views.items():
            view[...] = arrays[name]
        self.version += 1
