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

from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet_kernels import OpTable

from .composite import Composite
from .run import Pool, Run
from .trace import Held, Part, Tracer, filled, marked
from .types import Array, Leaves, structured

if TYPE_CHECKING:
    from .network import Network

PACKAGE = __name__.partition(".")[0] + "."


class Replay:
    """A training step that is being traced, or is ready to run.

    Attributes:
        memory: where its arrays come from.
        forward, backward: its calls.
        updates: new values of buffers, by name.
        ready: whether forward and backward are known.
        failed: whether it can never be.
        busy: whether a tape uses it.
        retired: whether another form of step has taken its place.
    """

    def __init__(self, pool: Pool) -> None:
        self.memory = Held(pool)
        self.forward, self.backward = Part(), Part()
        self.updates: dict[str, Array] = {}
        self.ready, self.failed, self.busy, self.retired = False, False, False, False
        self._saved: Any = None

    def trace(self, k: OpTable, run: Run, part: Part) -> Tracer:
        """The op table with which the layers are walked."""
        return Tracer(k, run, part)

    def seal_forward(self, net: Network, x: Array, logits: Array, saved: Any, updates: dict[str, Array]) -> None:
        """The forward has been walked."""
        self.updates = updates
        try:
            self._saved = marked(saved, x)
        except ValueError:
            self.failed = True
        self.failed |= _of_store(net, x) or not self.forward.seal(logits, x)

    def seal_backward(self, net: Network, x: Array, dlogits: Array, dx: Any) -> None:
        """The backward has been walked: from now on the step can be replayed."""
        # which of two arrays in one memory an op reads, nobody can tell
        shared = np.may_share_memory(dlogits, x) or self.forward.shares(dlogits) or _of_store(net, dlogits)
        self.failed |= shared or not self.backward.seal(dx, x, dlogits)
        self.ready = not self.failed
        if self.ready:
            self.memory.close()

    def saved(self, x: Array) -> Any:
        """What the layers would have saved in the step on x."""
        return filled(self._saved, x)

    def release(self, returns: list[Array]) -> None:
        """Its tape is spent. Memory that is not kept joins `returns`."""
        self.busy = False
        self.forward.forget()
        self.backward.forget()
        self.failed |= not self.ready
        if self.failed or self.retired:
            returns.extend(self.memory.slabs)
            self.memory.slabs = []


def _of_store(net: Network, array: Array) -> bool:
    stores = net.parameters, net.gradients, net.buffers
    return any(np.may_share_memory(array, store.flat) for store in stores)


class Replays:
    """Which steps of a network are traced and replayed: at most one form of step at a time.

    A form is walked when it is first seen, traced when it comes again at once, and ready after that, until another
    comes between. Three traces that come to nothing (no backward, x in no usable layout) are the last.
    """

    def __init__(self, net: Network) -> None:
        self._pool = net.pool
        self._tries = 3 if known(net.program) else 0
        self._form: Any = None  # of the last training batch
        self._current: Replay | None = None

    def of(self, net: Network, x: Leaves, *, training: bool, plain: bool) -> Replay | None:
        """The replay for a forward on x: ready, or to be traced; None for one that is to be walked.

        `plain` says that nothing is asked for but a training step on x alone. Who puts something else in the place of
        the table `net.k` wants to see every call.
        """
        if not (training and plain and self._tries and type(net.k) is OpTable) or structured(x):
            self._end(None)
            return None
        form = x.shape, x.strides, x.dtype, net.seed
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
        """Give the memory back; if a tape still uses it, as soon as that is spent."""
        self._form = form
        if self._current is not None:
            self._current.retired = True
            if not self._current.busy:
                self._pool.give(self._current.memory.slabs)
                self._current.memory.slabs = []
            self._current = None


def known(thing: object) -> bool:
    """Whether a layer, with all in it, a loss or an optimizer is this package's own."""
    children = [child for _, child in thing.children()] if isinstance(thing, Composite) else []
    return type(thing).__module__.startswith(PACKAGE) and all(map(known, children))
