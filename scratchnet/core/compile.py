"""The compiled step: a network's whole training step as one function, and many steps a call."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ConfigError, ScratchnetError
from .layer import require, whole
from .replay import known
from .step_data import Data, Samples
from .step_model import Stepper, step_model
from .trained import Trained
from .types import Array

if TYPE_CHECKING:
    from .loss import Loss
    from .network import Network

PER_CALL = 2e10  # floating-point operations between two chances for Ctrl-C
Rate = float | Array | Callable[[int], float] | None


class Step:
    """A training step of a network: gather, forward, loss, backward, update, as often as there are batches.

        step = net.compile(loss, opt, batch_size=128)
        for epoch in range(10):
            print(step.epoch(batches, epoch).loss)

    It does what the loop of `net.forward`, `loss`, `net.backward` and `opt.step` does, to rounding, and leaves
    parameters, optimizer state, step counts and versions as that would: the two may take turns. `net.gradients` is
    private to it and means nothing afterwards. A last batch with fewer samples goes through the layers.

    What cannot be compiled runs through the layers; `compiled` and `reason` say so. So do steps on batches that are
    augmented (`Batches(..., augment=...)`), for the compiled function gathers pictures as they are: what they return
    has the reason.

    Attributes:
        source: the emitted module; "" where there is none.
        reason: why the step is not compiled; "" where it is.
        path: the file that holds the source; "" where there is none.
    """

    def __init__(self, net: Network, loss: Loss, opt: Stepper, batch_size: int) -> None:
        require(whole(batch_size), "a batch size is a whole number, 1 or more", actual=repr(batch_size))
        self.net, self.loss, self.opt, self.batch_size = net, loss, opt, batch_size
        self._emit()

    def _emit(self) -> None:
        self.source, self.reason, self.path = "", "", ""
        self._kernel: Any = None
        self._runs = list(self.net.parameters.runs())
        try:
            for own in (self.net.body, self.loss, self.opt):
                if not known(own):  # it may do more than its plan says: clip in `step`, draw numbers, compute beside k
                    raise ConfigError("what is not part of this package is not compiled into a step", where=repr(own))
            if self.net.backend.name != "cpu" or self.net.dtype not in (np.float32, np.float64):
                raise ConfigError(f"steps are compiled for the cpu backend's floats, not {self.net.backend.name}")
            from scratchnet_kernels.cpu.step import build, emit

            model = step_model(self.net, self.loss, self.opt, self.batch_size)
            self._kernel = build(emit(model), self.net.dtype)
        except ScratchnetError as error:
            where = error.where or (f"layer {error.layer}" if error.layer else "")
            self.reason = f"{where}: {error.what}" if where else error.what
            return
        self._target = model.targets
        self._flops = sum(operation.flops for operation in model.operations)
        self.source, self.path = self._kernel.source.text, self._kernel.path

    @property
    def compiled(self) -> bool:
        """Whether steps run in one compiled function."""
        return self._kernel is not None

    def __repr__(self) -> str:
        how = f"compiled, {self.path}" if self.compiled else f"through the layers, because {self.reason}"
        return f"<Step of {self.batch_size} samples, {how}>"

    def epoch(self, batches: Samples, epoch: int, *, lr: Rate = None) -> Trained:
        """The steps of an epoch of `batches`, whose batch size must be this step's.

        Raises ConfigError for another batch size, and what `run` raises.
        """
        require(
            batches.batch_size == self.batch_size,
            "the batches have another size than the step",
            expected=self.batch_size,
            actual=batches.batch_size,
        )
        images, targets, scale, shift = batches.whole()
        order = batches.order(epoch)
        if batches.drop_last:
            order = order[: len(order) // self.batch_size * self.batch_size]
        return self.run(images, targets, order, scale=scale, shift=shift, lr=lr, moves=batches.moves(epoch))

    def run(
        self,
        images: Array,
        targets: Array,
        order: Array | None = None,
        *,
        scale: float | Array = 1.0,
        shift: float | Array = 0.0,
        lr: Rate = None,
        moves: Array | None = None,
    ) -> Trained:
        """One step a batch of samples, in order.

        Args:
            images: (n, ...), whole numbers or floats; x = scale·images + shift, per channel if there are three axes.
            targets: (n,) class indices or (n, ...) floats, as the loss takes them.
            order: sample numbers; all samples as they stand if None.
            lr: the learning rate: a number, one for each step, or a schedule that is asked with the number of steps
                that the optimizer has made with this network. The optimizer's own if None.
            moves: (n, 3) whole numbers, (down, right, mirror) of each picture, or None where none is moved.

        Raises:
            ShapeError, DtypeError, TargetError: where data and network do not fit; nothing has changed then.
            ConfigError: a learning rate or an order without meaning.
        """
        data = Data(self.net, images, targets, order, scale, shift, moves)
        data.targets = self._admit(data)
        steps = math.ceil(data.order.size / self.batch_size)
        rates = self._rates(lr, steps)
        if list(self.net.parameters.runs()) != self._runs:
            self._emit()  # something has been frozen or thawed
        losses, correct = np.zeros(steps), np.zeros(2, np.int64)  # right answers, and compiled steps made
        sizes = np.full(steps, self.batch_size)
        sizes[-1:] = data.order.size - (steps - 1) * self.batch_size
        reason = self._hindrance(data)
        done = 0 if reason else self._run_compiled(data, rates, losses, correct)
        for s in range(done, steps):
            index = data.order[s * self.batch_size : (s + 1) * self.batch_size]
            losses[s], right = self._run_layers(data, index, float(rates[s]))
            correct[0] += right
        return Trained(losses, sizes, int(correct[0]) if data.targets.dtype.kind in "iu" else None, reason)

    def _hindrance(self, data: Data) -> str:
        """Why steps on these samples are not those of the compiled function; "" where they are."""
        if not self.compiled:
            return self.reason
        if data.moves is not None:
            return "the compiled step cannot move or mirror pictures yet"
        labels = data.targets.dtype == np.int64, self._target.store == "labels"
        if data.targets.shape[1:] != self._target.shape[1:] or labels[0] != labels[1]:
            return "the step was compiled for targets of another kind"
        return ""

    def _run_compiled(self, data: Data, rates: Array, losses: Array, correct: Array) -> int:
        """All whole batches; return how many."""
        net, state = self.net, self.net.optimizer_state(self.opt)
        stores = {"parameters": net.parameters.flat, "gradients": net.gradients.flat}
        stores |= {name: store.flat for name, store in state.stores.items()}
        total = data.order.size // self.batch_size
        many = max(1, int(PER_CALL // max(self._flops, 1)))
        for s in range(0, total, many):
            part = slice(s, min(total, s + many))
            index = data.order[part.start * self.batch_size : part.stop * self.batch_size]
            given = data.images, data.targets, index, data.scale, data.shift, rates[part], state.steps
            before = int(correct[1])
            try:
                self._kernel(given, stores, losses[part], correct)
            finally:  # Ctrl-C comes through when the kernel is done
                made = int(correct[1]) - before
                if made:
                    net.count += made
                    state.steps += made
                    state.hyper[:] = rates[part.start + made - 1], state.steps, 1, 1
                    net.parameters.version += made
        return total

    def _run_layers(self, data: Data, index: Array, lr: float) -> tuple[float, int]:
        """One step through the layers: its loss and how many answers were right."""
        net, t = self.net, data.targets[index]
        logits, tape = net.forward(data.batch(index), training=True)
        value, dlogits = self.loss(logits, t, tape)
        right = int((logits.argmax(-1) == t).sum()) if t.dtype.kind in "iu" and t.ndim == logits.ndim - 1 else 0
        net.zero_grad()
        net.backward(dlogits, tape)
        self.opt.step(net, lr=lr)
        return float(value), right

    def _rates(self, lr: Rate, steps: int) -> Array:
        if lr is None:
            lr = self.opt.lr
        if callable(lr):
            begun = self.net.optimizer_state(self.opt).steps
            lr = np.array([lr(begun + s) for s in range(steps)], np.float64)
        rates = np.asarray(lr, np.float64)
        require(rates.shape in ((), (steps,)), "one learning rate, or one for each step", actual=rates.shape)
        require(bool(np.all((rates >= 0) & (rates < math.inf))), "a learning rate is not negative, and finite")
        return np.ascontiguousarray(np.broadcast_to(rates, (steps,)))

    def _admit(self, data: Data) -> Array:
        """The targets as the loss takes them; the loss refuses those that do not fit."""

        def admit(targets: Array) -> Array:
            logits = np.broadcast_to(np.zeros((), self.net.dtype), (len(targets), *self.net.output_shape))
            return self.loss.admit(logits, targets)

        admitted = admit(data.targets)
        ignored = getattr(self.loss, "ignore_index", None)
        if ignored is not None and admitted.dtype.kind in "iu" and (admitted == ignored).any():
            for index in data.batches(self.batch_size):
                admit(admitted[index])  # a batch of nothing else has no mean
        return np.ascontiguousarray(admitted, np.int64 if admitted.dtype.kind in "iu" else None)
