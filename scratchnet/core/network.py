"""The network: layers, the stores that hold their numbers, and one backend. The loop around it stays yours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from scratchnet_kernels import get_backend

from .border import cast, check_batch, check_cotangent, check_side, check_structure, element_type, sample_shape
from .compile import Step
from .errors import ShapeError, TapeError
from .fusion import fuse as fused
from .layer import Layer, require, whole
from .loss import Loss
from .optimizer_state import HasSlots, OptimizerState
from .plan import Plan
from .record import record
from .replay import Replays
from .run import Pool, Run
from .sequential import Sequential
from .step_model import Stepper
from .store import Store
from .summary import Summary, summarize
from .tape import Tape
from .types import Array, Leaves, Shape, Views, map_leaves, samples, structured


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
        input_shape: the shape of one sample; a NamedTuple of shapes where x is a NamedTuple of arrays.
        seed: keys initialisation and dropout. Same seed, same machine, same threads: the same bits.
        backend: "cpu", or "reference" for plain NumPy on any element type.
        dtype: element type of parameters and activations.
        ties: {"4.W": "0.W"} makes the first parameter a name of the second.
        fuse: run layers that follow one another and have a fused form (Conv2d, ReLU, MaxPool2d; Dense, ReLU) in one go.
            Names and what is computed stay the same, to rounding; False runs the plain layers, to look at and compare.

    Attributes:
        body: the layers as they were written.
        program: the layers as they run.
        in_kind: "float" or "index", or a NamedTuple of these: what x is made of.
        parameters, gradients, buffers: the stores. Parameters and gradients share one layout.
        views: parameters and buffers by name: the `p` of the layers.
        count: an int64 array of one element: how many training forwards there have been.
        optimizer_states: what optimizers keep with this network, by the optimizer's name.
        pool: the memory that tapes lease; `pool.debug = True` fills it with NaN first.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where the layers do not fit each other or the input; the message names the layer.
        BackendError: where the backend cannot run.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | Layer,
        input_shape: Shape | Leaves,
        *,
        seed: int = 0,
        backend: str = "cpu",
        dtype: Any = "float32",
        ties: Mapping[str, str] | None = None,
        fuse: bool = True,
    ) -> None:
        if isinstance(layers, Sequential):
            self.body = layers
        else:
            self.body = Sequential(*([layers] if isinstance(layers, Layer) else layers))
        self.input_shape = sample_shape(input_shape)
        self.in_kind = self.body.in_kind
        check_structure(self.body, self.input_shape)
        self.output_shape = self.body.out_shape(self.input_shape)
        if structured(self.output_shape):
            raise ShapeError("a network puts out one array", actual=self.output_shape)
        require(whole(seed, least=0), "a seed is a whole number, 0 or more", actual=repr(seed))
        self.seed = seed
        self.dtype = element_type(dtype)
        self.backend = get_backend(backend)
        require(isinstance(fuse, bool), "fuse is True or False", actual=repr(fuse))
        self.fuse = fuse
        self.program = fused(self.body, self.backend) if fuse else self.body
        self.parameters = Store(self.body.params(self.input_shape), self.dtype, ties)
        self.gradients = self.parameters.like()
        self.buffers = Store(self.body.buffers(self.input_shape), self.dtype)
        self.parameters.initialize(seed)
        self.buffers.initialize(seed)
        self.k = self.backend.table()
        self.count = np.zeros(1, np.int64)
        self.optimizer_states: dict[str, OptimizerState] = {}
        self.views = Views(self.parameters.views | self.buffers.views)
        self.pool = Pool()
        self._spent: list[Array] = []
        self._replays = Replays(self)

    def __repr__(self) -> str:
        rows = [f"Network(  # {self.input_shape} -> {self.output_shape}, {self.parameter_count:,} parameters"]
        for _, child, shape in self.body.wiring(self.input_shape):
            rows.append(f"    {child!r},  # {shape} -> {child.out_shape(shape)}")
        return "\n".join([*rows, f")  # {self.backend.name}, {self.dtype}"])

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained; tied ones count once."""
        return sum(s.stop - s.start for s in self.parameters.segments.values())

    def forward(self, x: Leaves, *, training: bool, **side: Array) -> tuple[Array, Tape]:
        """Run the layers on a batch.

        Args:
            x: (N, *input_shape), N >= 1, or the NamedTuple of such arrays that input_shape is of shapes. Floats of
                another width are cast; an array must stay as it is until the tape is spent.
            training: whether dropout and batch statistics are those of training.
            side: further inputs by name (`mask=...`).

        Returns:
            (logits, tape). Both live in the network's memory: logits until the forward after the tape is spent.

        Raises:
            ShapeError, DtypeError: where x does not fit.
            ConfigError: where no layer reads a side input. A forward that raises has changed nothing.
        """
        check_batch(x, self.input_shape, self.dtype, self.in_kind)
        self._reclaim()
        if training:
            self.count[0] += 1
        replay = self._replays.of(self, x, training=training, plain=not side)
        pool = replay.memory if replay is not None and not replay.ready else self.pool
        run = Run(pool, training=training, count=self.count, seed=self.seed, side=side)
        # made first: an error gives its memory back
        tape = Tape(self.k, run, self.parameters.version, self._spent, replay)
        try:
            x = map_leaves(cast, x, self.in_kind, self.dtype, run)
            if replay is not None and replay.ready:
                logits = replay.forward.play(x)
                tape.keep(x)
            else:
                k: Any = self.k if replay is None else replay.trace(self.k, run, replay.forward)
                logits, saved = self.program.forward(k, self.views, x, run)
                tape.keep(x, saved)
                if replay is not None:
                    replay.seal_forward(self, x, logits, saved, run.updates)
            check_side(run.side)
        except BaseException:
            if training:
                self.count[0] -= 1
            raise
        tape.logits_shape = logits.shape
        if training:
            for name, new in (run if replay is None else replay).updates.items():
                self.k.copy(new, self.buffers.views[name])
        return logits, tape

    def backward(self, dlogits: Array, tape: Tape, *, keep: bool = False, need_dx: bool = False) -> Leaves:
        """Add the gradients of Σ dlogits·logits to `self.gradients`.

        Args:
            dlogits: the loss's gradient with respect to the logits, shaped like them.
            tape: what the forward returned. It is spent, unless `keep`.
            keep: keep the tape for another backward.
            need_dx: also compute the gradient with respect to x.

        Returns:
            dx, valid until the forward after the tape is spent, or None. Where x is a NamedTuple, so is dx, with None
            for leaves of whole numbers.

        Raises:
            TapeError: where the tape is spent, of another network, or older than the parameters.
            ShapeError, DtypeError: where dlogits does not fit.
        """
        if not isinstance(tape, Tape):
            raise TapeError("backward needs the tape that forward returned", actual=type(tape).__name__)
        tape.check(self._spent, self.parameters.version)
        check_cotangent(dlogits, tape.logits_shape, self.dtype)
        tape.run.need_dx = need_dx
        replay = tape.replay
        if replay is not None and replay.ready and not need_dx:
            dx = replay.backward.play(tape.x, dlogits)
        else:
            traced = None if need_dx else replay
            k: Any = self.k if traced is None else traced.trace(self.k, tape.run, traced.backward)
            dx = self.program.backward(k, self.views, self.gradients.views, tape.saved, dlogits, tape.run)
            if traced is not None:
                traced.seal_backward(self, tape.x, dlogits, dx)
        if not keep:
            tape.release()
        return dx

    def predict(self, x: Leaves, *, batch_size: int = 1024, **side: Array) -> Array:
        """The logits of x in evaluation mode, in an array of its own. Works through x in batches to bound memory.

        Raises ShapeError or DtypeError where x does not fit, ConfigError unless batch_size is 1 or more.
        """
        require(whole(batch_size), "batch_size is a whole number, 1 or more", actual=repr(batch_size))
        check_batch(x, self.input_shape, self.dtype, self.in_kind)
        N = samples(x)
        out = np.empty((N, *self.output_shape), self.dtype)
        for start in range(0, N, batch_size):
            part = slice(start, start + batch_size)
            of_part = map_leaves(lambda a, part: a[part], x, part)
            logits, tape = self.forward(of_part, training=False, **{name: a[part] for name, a in side.items()})
            out[part] = logits
            tape.release()
        return out

    def zero_grad(self) -> None:
        """Set every gradient to 0."""
        self.gradients.zero()

    def optimizer_state(self, optimizer: HasSlots) -> OptimizerState:
        """The state that this kind of optimizer keeps with this network; made at its first step."""
        name = type(optimizer).__name__
        if name not in self.optimizer_states:
            self.optimizer_states[name] = OptimizerState()
        state = self.optimizer_states[name]
        for slot in optimizer.slots:
            if slot not in state.stores:
                state.stores[slot] = self.parameters.like()
        return state

    def record(self, batch_size: int, *, training: bool = True, need_dx: bool = False, **side: Array) -> Plan:
        """The plan of one step: every op call of forward and backward, with its buffers, and nothing computed."""
        return record(self, batch_size, training=training, need_dx=need_dx, side=side)

    def summary(self, batch_size: int) -> Summary:
        """What a training step costs: output shapes, parameters, floating-point operations, memory. Print it.

        Raises ConfigError where batch_size is no whole number, 1 or more.
        """
        require(whole(batch_size), "a batch size is a whole number, 1 or more", actual=repr(batch_size))
        return summarize(self, batch_size)

    def compile(self, loss: Loss, opt: Stepper, *, batch_size: int) -> Step:
        """A whole training step (forward, loss, backward, update) as one function that makes many steps a call.

        It is compiled when it first runs. A step with a layer, loss or optimizer that cannot be compiled yet runs
        through the layers and says so. Raises ConfigError where batch_size is no whole number, 1 or more.
        """
        return Step(self, loss, opt, batch_size)

    def compiled_source(self, loss: Loss, opt: Stepper, *, batch_size: int) -> str:
        """The source of the compiled step, to read; "" where it cannot be compiled."""
        return self.compile(loss, opt, batch_size=batch_size).source

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        """A network of its own that goes on from here as this one would: parameters, buffers, optimizers, counts."""
        twin = Network(
            self.body,
            self.input_shape,
            seed=self.seed,
            backend=self.backend.name,
            dtype=self.dtype,
            ties=self.parameters.ties,
            fuse=self.fuse,
        )
        twin.parameters, twin.gradients, twin.buffers = (
            store.copy() for store in (self.parameters, self.gradients, self.buffers)
        )
        twin.views = Views(twin.parameters.views | twin.buffers.views)
        twin.count[:] = self.count
        twin.optimizer_states = {name: state.copy() for name, state in self.optimizer_states.items()}
        return twin

    def _reclaim(self) -> None:
        """Make the memory of spent tapes available."""
        self.pool.give(self._spent)
        self._spent.clear()
