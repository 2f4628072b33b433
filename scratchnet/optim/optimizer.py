"""The optimizer: frozen hyper-parameters. What it remembers belongs to the network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scratchnet.core.layer import checks_fields, require
from scratchnet.core.types import Array

if TYPE_CHECKING:
    from scratchnet.core.network import Network
    from scratchnet_kernels import OpTable


class Optimizer:
    """Base of every optimizer.

    A step runs one kernel over the flat stores of parameters and gradients (one a stretch, where parameters are
    frozen or have multipliers of their own). lr, step count, clip factor and inverse loss scale reach the kernel in
    one small array.
    """

    lr: float

    def __init_subclass__(cls) -> None:
        checks_fields(cls)

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the stores that this optimizer keeps with the network."""
        return ()

    def update(
        self,
        k: OpTable,
        p: Array,
        g: Array,
        state: dict[str, Array],
        hyper: Array,
        lr: float,
        decay: float,
        zero: bool = False,
    ) -> None:
        """Run the kernel on one stretch; lr and decay are its multipliers. With `zero`, g = 0 afterwards."""
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def step(
        self,
        net: Network,
        *,
        lr: float | None = None,
        clip: float = 1.0,
        inverse_scale: float = 1.0,
        zero: bool = False,
    ) -> None:
        """Change the parameters of `net` by its gradients.

        Args:
            net: the network; tapes of earlier forwards become stale.
            lr: the learning rate of this step (a schedule's), if not `self.lr`.
            clip: factor on every gradient; `clip_factor(net, max_norm)` computes it.
            inverse_scale: 1/loss scale of mixed precision.
            zero: set all gradients to 0 as they are read, as `net.zero_grad()` would afterwards; also those of frozen
                parameters.

        Raises:
            ConfigError: a learning rate without meaning; nothing has changed then.
        """
        lr = self.lr if lr is None else lr
        require(0 <= lr < math.inf, "the learning rate is not negative, and finite", actual=lr)
        state = net.optimizer_state(self)
        state.steps += 1
        state.hyper[:] = lr, state.steps, clip, inverse_scale
        gradients, done = net.gradients.flat, 0
        cleared = {"zero": True} if zero else {}  # an update that has never heard of it need not
        for stretch, lr_scale, decay_scale in net.parameters.runs():
            slots: dict[str, Any] = {name: state.stores[name].flat[stretch] for name in self.slots}
            p, g = net.parameters.flat[stretch], gradients[stretch]
            self.update(net.k, p, g, slots, state.hyper, lr_scale, decay_scale, **cleared)
            if zero:
                gradients[done : stretch.start] = 0  # what no kernel goes over
                done = stretch.stop
        if zero:
            gradients[done:] = 0
        net.parameters.version += 1
