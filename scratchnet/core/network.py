"""The network: layers, the stores that hold their numbers, and one backend. The loop around it stays yours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from scratchnet_kernels import get_backend

from .errors import ConfigError, DtypeError, ShapeError
from .layer import Layer
from .plan import Plan, Recorder
from .run import Pool, Run
from .sequential import Sequential
from .store import Store
from .tape import Tape
from .types import Array, Shape, Views


class HasSlots(Protocol):
    """What the network asks of an optimizer: which stores it keeps."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Their names."""
        ...


class OptimizerState:
    """What an optimizer keeps between steps: stores by name, and how many steps were made."""

    def __init__(self) -> None:
        self.stores: dict[str, Store] = {}
        self.steps = 0
        self.hyper = np.zeros(4)  # lr, step, clip factor, inverse loss scale: what reaches the kernel


class Network:
    """Layers with their parameters, gradients and buffers, on one backend.

        net = Network([Dense(128), ReLU(), Dense(10)], input_shape=(784,), seed=0)
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net)

    Args:
        layers: a list of layers, or one layer.
        input_shape: the shape of one sample.
        seed: keys initialisation and dropout. Same seed, same machine, same threads: the same bits.
        backend: "cpu", or "reference" for plain NumPy on any element type.
        dtype: element type of parameters and activations.
        ties: {"4.W": "0.W"} makes the first parameter a name of the second.

    Raises:
        ConfigError, ShapeError: where the layers do not fit each other or the input; the message names the layer.
        BackendError: where the backend cannot run.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | Layer,
        input_shape: Shape,
        *,
        seed: int = 0,
        backend: str = "cpu",
        dtype: Any = "float32",
        ties: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(layers, Sequential):
            self.body = layers
        else:
            self.body = Sequential(*([layers] if isinstance(layers, Layer) else layers))
        self.input_shape = tuple(int(n) for n in input_shape)
        self.output_shape = self.body.out_shape(self.input_shape)
        self.seed = seed
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "fcO":
            raise ConfigError("a network computes in floats", expected="float32 or float64", actual=self.dtype)
        self.backend = get_backend(backend)
        self.parameters = Store(self.body.params(self.input_shape), self.dtype, ties)
        self.gradients = self.parameters.like()
        self.buffers = Store(self.body.buffers(self.input_shape), self.dtype)
        self.parameters.initialize(seed)
        self.buffers.initialize(seed)
        self.k = self.backend.table()
        self.count = np.zeros(1, np.int64)  # training forwards so far
        self.optimizer_states: dict[str, OptimizerState] = {}
        self._p = Views(self.parameters.views | self.buffers.views)
        self._pool = Pool()
        self._spent: list[Array] = []

    def __repr__(self) -> str:
        rows = [f"Network(  # {self.input_shape} -> {self.output_shape}, {self.parameter_count:,} parameters"]
        for _, child, shape in self.body.wiring(self.input_shape):
            rows.append(f"    {child!r},  # {shape} -> {child.out_shape(shape)}")
        return "\n".join([*rows, f")  # {self.backend.name}, {self.dtype}"])

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained; tied ones count once."""
        return sum(s.stop - s.start for s in self.parameters.segments.values())

    def forward(self, x: Array, *, training: bool, **side: Array) -> tuple[Array, Tape]:
        """Run the layers on a batch.

        Args:
            x: (N, *input_shape), N >= 1. Floats of another width are cast; the array must stay as it is until the
                tape is spent.
            training: whether dropout and batch statistics are those of training.
            side: further inputs by name (`mask=...`).

        Returns:
            (logits, tape). Both live in the network's memory: logits until the forward after the tape is spent.

        Raises:
            ShapeError, DtypeError: where x does not fit.
        """
        self._reclaim()
        if training:
            self.count += 1
        run = Run(self._pool, training=training, count=self.count, seed=self.seed, side=side)
        tape = Tape(self.k, run, self.parameters.version, self._spent)  # made first: an error gives its memory back
        logits, tape.saved = self.body.forward(self.k, self._p, self._admit(x, run), run)
        if training:
            for name, new in run.updates.items():
                self.k.copy(new, self.buffers.views[name])
        return logits, tape

    def backward(self, dlogits: Array, tape: Tape, *, keep: bool = False, need_dx: bool = False) -> Array | None:
        """Add the gradients of Σ dlogits·logits to `self.gradients`.

        Args:
            dlogits: the loss's gradient with respect to the logits, shaped like them.
            tape: what the forward returned. It is spent, unless `keep`.
            keep: keep the tape for another backward.
            need_dx: also compute the gradient with respect to x.

        Returns:
            dx, valid until the forward after the tape is spent, or None.

        Raises:
            TapeError: where the tape is spent, of another network, or older than the parameters.
            ShapeError, DtypeError: where dlogits does not fit.
        """
        tape.check(self._spent, self.parameters.version)
        if dlogits.shape[1:] != self.output_shape:
            raise ShapeError(
                "dlogits is not shaped like the logits", expected=("N", *self.output_shape), actual=dlogits.shape
            )
        tape.run.need_dx = need_dx
        dx = self.body.backward(self.k, self._p, self.gradients.views, tape.saved, dlogits, tape.run)
        if not keep:
            tape.release()
        return dx

    def predict(self, x: Array, *, batch_size: int = 1024, **side: Array) -> Array:
        """The logits of x in evaluation mode, in an array of its own. Works through x in batches to bound memory."""
        if len(x) == 0:
            self._admit(x, Run(self._pool, training=False, count=self.count))
        out = np.empty((len(x), *self.output_shape), self.dtype)
        for start in range(0, len(x), batch_size):
            part = slice(start, start + batch_size)
            logits, tape = self.forward(x[part], training=False, **{name: a[part] for name, a in side.items()})
            out[part] = logits
            tape.release()
        return out

    def zero_grad(self) -> None:
        """Set every gradient to 0."""
        self.gradients.flat.fill(0)

    def optimizer_state(self, optimizer: HasSlots) -> OptimizerState:
        """The state that this kind of optimizer keeps with this network; made at its first step."""
        name = type(optimizer).__name__
        state = self.optimizer_states.setdefault(name, OptimizerState())
        for slot in optimizer.slots:
            if slot not in state.stores:
                state.stores[slot] = self.parameters.like()
        return state

    def record(self, batch_size: int, *, training: bool = True, need_dx: bool = False, **side: Array) -> Plan:
        """The plan of one step: every op call of forward and backward, with its buffers, and nothing computed."""
        recorder = Recorder(self.backend)
        run = Run(Pool(), training=training, count=self.count, seed=self.seed, side=side, recorder=recorder)
        recorder.path = lambda: run.path
        given = {"parameters": self.parameters, "gradients": self.gradients, "buffers": self.buffers}
        for kind, store in given.items():
            recorder.lease(store.flat, kind)
        recorder.lease(self.count, "count")
        for name, array in side.items():
            recorder.lease(array, name)
        kind_of_x = self.dtype if self.body.in_kind == "float" else np.dtype(np.int64)
        x = recorder.lease(np.zeros((batch_size, *self.input_shape), kind_of_x), "x")
        logits, saved = self.body.forward(recorder, self._p, x, run)  # type: ignore[arg-type]
        forward = tuple(recorder.calls)
        dlogits = recorder.lease(np.zeros(logits.shape, self.dtype), "dlogits")
        run.need_dx = need_dx
        dx = self.body.backward(recorder, self._p, self.gradients.views, saved, dlogits, run)  # type: ignore[arg-type]
        logits_at, dx_at = recorder.ref(logits, "logits"), recorder.ref(dx, "dx")
        updates = {name: recorder.ref(new, name) for name, new in run.updates.items()}
        return Plan(
            backend=self.backend,
            buffers=tuple(recorder.buffers),
            forward=forward,
            backward=tuple(recorder.calls[len(forward) :]),
            logits=logits_at,
            dx=dx_at,
            updates=updates,
        )

    def _reclaim(self) -> None:
        """Make the memory of spent tapes available."""
        self._pool.give(self._spent)
        self._spent.clear()

    def _admit(self, x: Array, run: Run) -> Array:
        """The border: refuse what does not fit, cast floats to the network's own."""
        if not hasattr(x, "dtype") or not hasattr(x, "shape"):
            raise DtypeError(
                "the input is not an array", expected="a NumPy array", actual=type(x).__name__, hint="np.asarray(x)"
            )
        if tuple(x.shape[1:]) != self.input_shape or x.ndim == 0:
            hint = None
            if tuple(x.shape) == self.input_shape:
                hint = "this is one sample; a batch of one is x[None]"
            elif np.prod(x.shape[1:]) == np.prod(self.input_shape):
                hint = f"x.reshape(len(x), {', '.join(map(str, self.input_shape))})"
            raise ShapeError(
                "the input does not fit the network", expected=("N", *self.input_shape), actual=x.shape, hint=hint
            )
        if len(x) == 0:
            raise ShapeError("the batch is empty", expected="N >= 1 samples", actual=x.shape)
        if self.body.in_kind == "index":
            if x.dtype.kind not in "iu":
                raise DtypeError("this network takes indices", expected="whole numbers", actual=x.dtype)
            return x
        if x.dtype == self.dtype:
            return x
        if x.dtype.kind not in ("f" if self.dtype.kind == "f" else "fcO"):
            raise DtypeError(
                "this network takes floats",
                expected=self.dtype,
                actual=x.dtype,
                hint="scale pixels first: x.astype(np.float32) / 255" if x.dtype.kind in "iu" else None,
            )
        cast = run.empty(tuple(x.shape), self.dtype)
        np.copyto(cast, x, casting="unsafe")
        return cast
