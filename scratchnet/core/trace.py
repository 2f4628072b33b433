"""Tracing: noting down which ops a walk through the layers calls, on which arrays, and where x stands among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchnet_kernels import OPS, OpTable
from scratchnet_kernels.workspace import poison

from .run import Pool, blame
from .types import Array, Shape, map_leaves, structured

if TYPE_CHECKING:
    from .run import Run


class Ready(NamedTuple):
    """An op call with its arguments in place. `extra`: the workspace, for a kernel that takes it."""

    function: Callable[..., None]
    args: list[Any]
    extra: dict[str, Any]
    path: str


class Held(Pool):
    """Memory of a traced step: out of the network's pool, and given back to it all at once."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.debug)
        self.slabs: list[Array] = []
        self._from = pool

    def take(self, size: int, dtype: Any) -> Array:
        """A slab that the step has given back itself (scratch), or one more of the network's."""
        if any(n >= size and slabs for n, slabs in self._free.get(dtype, {}).items()):
            return super().take(size, dtype)
        self.slabs.append(self._from.take(size, dtype))
        return self.slabs[-1]

    def close(self) -> None:
        """No more of what is held is lent: the traced calls use it."""
        self._free.clear()

    def poisoned(self) -> None:
        """Fill all of it with what no computation should meet, under SCRATCHNET_DEBUG."""
        for slab in self.slabs if self.debug else ():
            poison(slab)


class Tracer:
    """Stands in for the op table `k`: runs each op and notes it down."""

    def __init__(self, k: OpTable, run: Run, part: Part) -> None:
        self.backend = k.backend
        self._k, self._run, self._calls = k, run, part.calls
        self._calls.clear()  # an attempt before this one may have been interrupted

    def __getattr__(self, name: str) -> Callable[..., None]:
        opened = getattr(self._k, name)  # AttributeError where there is no such op
        function, extra = getattr(opened, "behind", (opened, {}))  # what somebody else put there is called as it is

        def call(*args: Any, **kwargs: Any) -> None:
            args = OPS[name].bind(args, kwargs)
            opened(*args)
            self._calls.append(Ready(function, list(args), extra, self._run.path))

        return call


class Place(NamedTuple):
    """Stands for the input of a traced step, in the shape in which it was seen."""

    shape: Shape


class Part:
    """The calls of a forward, or of a backward, and the places where x (and dlogits) stand in them."""

    def __init__(self) -> None:
        self.calls: list[Ready] = []
        self.result: Any = None
        self._places: list[tuple[list[Any], int, int, Shape]] = []

    def seal(self, result: Any, *given: Array) -> bool:
        """Find the places of what is given. False where it was looked at in parts, or is part of the result."""
        self.result = result
        for number, own in enumerate(given):
            for call in self.calls:
                for i, arg in enumerate(call.args):
                    if isinstance(arg, np.ndarray) and np.may_share_memory(arg, own):
                        if not _whole(arg, own):
                            return False
                        self._places.append((call.args, i, number, arg.shape))
        return not any(self.shares(own) for own in given)

    def play(self, *given: Array) -> Any:
        """Run the calls on other arrays of the same form."""
        for args, i, number, shape in self._places:
            own = given[number]
            args[i] = own if own.shape == shape else own.reshape(shape)
        call = None
        try:
            for call in self.calls:
                function, args, extra, _ = call
                if extra:
                    extra["workspace"].reset()
                function(*args, **extra)
        except Exception as error:
            assert call is not None
            blame(error, call.path, call.function)
            raise
        return self.result

    def shares(self, given: Array) -> bool:
        """Whether the result lies in the same memory."""
        return isinstance(self.result, np.ndarray) and np.may_share_memory(self.result, given)

    def forget(self) -> None:
        """Let go of what was given: its owner may be waiting to use the memory again."""
        for args, i, _, _ in self._places:
            args[i] = None


def _whole(seen: Array, given: Array) -> bool:
    """Whether what was seen is all of what was given, at most reshaped."""
    return seen.size == given.size and seen.flags.c_contiguous and given.flags.c_contiguous


def marked(saved: Any, x: Array) -> Any:
    """`saved` with a Place wherever it holds x. Raises ValueError where it holds a part of x."""
    if isinstance(saved, np.ndarray) and np.may_share_memory(saved, x):
        if not _whole(saved, x):
            raise ValueError("a part of x has been saved")
        return Place(saved.shape)
    return saved if isinstance(saved, np.ndarray) else _mapped(marked, saved, x)


def filled(saved: Any, x: Array) -> Any:
    """The inverse of `marked`, for another x."""
    return x.reshape(saved.shape) if isinstance(saved, Place) else _mapped(filled, saved, x)


def _mapped(function: Callable[[Any, Array], Any], saved: Any, x: Array) -> Any:
    """The function of what a tuple holds, in a tuple of the same kind; anything else as it is."""
    if structured(saved):
        return map_leaves(function, saved, x)
    return tuple(function(part, x) for part in saved) if isinstance(saved, tuple) else saved
