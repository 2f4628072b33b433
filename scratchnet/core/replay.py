"""Replay: a training step that was walked once is run again as the list of its op calls, without the walk.

The walk through the layers (names, modes, shapes, leases, doors) comes to the same calls on the same arrays as long as
the batch has the same size, because a layer's control flow never depends on values. It costs tens of microseconds,
which small networks feel. So where one training batch follows another of the same form, the second is traced: its
memory is kept, and the third runs the traced calls on its own x.

What is traced stays what the layers do: any other forward (another size, evaluation, side inputs) ends the replay, and
its memory goes back to the pool. Layers from outside this package are always walked, for nobody has checked that they
keep to the rule; so is a backward that asks for dx.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchnet_kernels import OPS, OpTable
from scratchnet_kernels.workspace import poison

from .composite import Composite
from .layer import Layer
from .run import Pool, blame
from .types import Array, Leaves, Shape, map_leaves, structured

if TYPE_CHECKING:
    from .run import Run

PACKAGE = __name__.partition(".")[0] + "."


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

    def poisoned(self) -> None:
        """Fill all of it with what no computation should meet, under SCRATCHNET_DEBUG."""
        for slab in self.slabs if self.debug else ():
            poison(slab)


class Tracer:
    """Stands in for the op table `k`: runs each op and notes it down."""

    def __init__(self, k: OpTable, run: Run, calls: list[Ready]) -> None:
        self.backend = k.backend
        self._k, self._run, self._calls = k, run, calls

    def __getattr__(self, name: str) -> Callable[..., None]:
        opened = getattr(self._k, name)  # AttributeError where there is no such op
        function = self.backend.kernels.get(name, OPS[name].reference)
        wants = "workspace" in inspect.signature(function).parameters
        extra = {"workspace": self._k.workspace} if wants else {}

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
        return not any(isinstance(result, np.ndarray) and np.may_share_memory(result, own) for own in given)

    def play(self, *given: Array) -> Any:
        """Run the calls on other arrays of the same form."""
        for args, i, number, shape in self._places:
            own = given[number]
            args[i] = own if own.shape == shape else own.reshape(shape)
        call = None
        try:
            for call in self.calls:
                if call.extra:
                    call.extra["workspace"].reset()
                call.function(*call.args, **call.extra)
        except Exception as error:
            assert call is not None
            blame(error, call.path, call.function)
            raise
        return self.result

    def forget(self) -> None:
        """Let go of what was given: its owner may be waiting to use the memory again."""
        for args, i, _, _ in self._places:
            args[i] = None


def _whole(seen: Array, given: Array) -> bool:
    """Whether what was seen is all of what was given, at most reshaped."""
    return seen.size == given.size and seen.flags.c_contiguous and given.flags.c_contiguous


class Replay:
    """A training step that is being traced, or is ready to run.

    Attributes:
        memory: where its arrays come from.
        forward, backward: its calls.
        updates: new values of buffers, by name.
        ready: whether forward and backward are known.
        failed: whether it can never be.
        busy: whether a tape uses it.
    """

    def __init__(self, pool: Pool) -> None:
        self.memory = Held(pool)
        self.forward, self.backward = Part(), Part()
        self.updates: dict[str, Array] = {}
        self.ready, self.failed, self.busy = False, False, False
        self._saved: Any = None

    def trace(self, k: OpTable, run: Run, part: Part) -> Tracer:
        """The op table with which the layers are walked."""
        return Tracer(k, run, part.calls)

    def seal_forward(self, x: Array, logits: Array, saved: Any, updates: dict[str, Array]) -> None:
        """The forward has been walked."""
        self.updates = updates
        self._saved = _marked(saved, x)
        self.failed = not self.forward.seal(logits, x)

    def seal_backward(self, x: Array, dlogits: Array, dx: Any) -> None:
        """The backward has been walked: from now on the step can be replayed."""
        shared = any(
            np.may_share_memory(dlogits, other) for other in (x, self.forward.result)
        )  # which of them is read?
        self.failed |= shared or not self.backward.seal(dx, x, dlogits)
        self.ready = not self.failed

    def saved(self, x: Array) -> Any:
        """What the layers would have saved in the step on x."""
        return _filled(self._saved, x)

    def release(self, leased: list[Array], returns: list[Array]) -> None:
        """Its tape is spent. `leased`: what the tape's run has leased; memory that goes elsewhere joins `returns`."""
        self.busy = False
        self.forward.forget()
        self.backward.forget()
        if any(slab is own for slab in leased[:1] for own in self.memory.slabs):
            leased.clear()  # the traced step itself: its memory stays here
        if not self.ready:
            self.failed = True
            returns.extend(self.memory.slabs)
            self.memory.slabs = []


def _marked(saved: Any, x: Array) -> Any:
    """`saved` with a Place wherever it holds x."""
    if isinstance(saved, np.ndarray):
        return Place(saved.shape) if np.may_share_memory(saved, x) else saved
    return _mapped(_marked, saved, x)


def _filled(saved: Any, x: Array) -> Any:
    """The inverse of `_marked`, for another x."""
    return x.reshape(saved.shape) if isinstance(saved, Place) else _mapped(_filled, saved, x)


def _mapped(function: Callable[[Any, Array], Any], saved: Any, x: Array) -> Any:
    """The function of what a tuple holds, in a tuple of the same kind; anything else as it is."""
    if structured(saved):
        return map_leaves(function, saved, x)
    return tuple(function(part, x) for part in saved) if isinstance(saved, tuple) else saved


class Replays:
    """Which steps of a network are traced and replayed: at most one form of step at a time."""

    def __init__(self, layer: Layer, pool: Pool) -> None:
        self._pool = pool
        self._tries = 3 if known(layer) else 0
        self._form: Any = None  # of the last training batch
        self._current: Replay | None = None

    def of(self, x: Leaves, k: Any, *, training: bool, plain: bool) -> Replay | None:
        """The replay for a forward on x: ready, or to be traced; None for one that is to be walked.

        `plain` says that nothing is asked for but a training step on x alone. Who puts something else in the place of
        the table `k` wants to see every call.
        """
        if not (training and plain and self._tries and type(k) is OpTable) or structured(x):
            self._end(None)
            return None
        form = x.shape, x.strides, x.dtype
        if form != self._form:
            self._end(form)
            return None
        if self._current is not None and self._current.failed:
            self._current, self._tries = None, self._tries - 1
        if self._current is None:
            self._current = Replay(self._pool)
        if self._current.busy:
            return None
        self._current.busy = True
        self._current.memory.poisoned()
        return self._current

    def _end(self, form: Any) -> None:
        """Give the memory back, unless a tape still uses it."""
        self._form = form
        if self._current is not None and not self._current.busy:
            self._pool.give(self._current.memory.slabs)
            self._current = None


def known(layer: Layer) -> bool:
    """Whether the layer and all in it are this package's own."""
    children = [child for _, child in layer.children()] if isinstance(layer, Composite) else []
    return type(layer).__module__.startswith(PACKAGE) and all(map(known, children))
