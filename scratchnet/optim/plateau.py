"""A learning rate that drops when a metric no longer improves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from scratchnet.core.errors import ConfigError
from scratchnet.core.layer import require


class ReduceOnPlateau:
    """Multiply lr by `factor` after more than `patience` observations in a row without a new best.

        plateau = ReduceOnPlateau(0.1)
        for epoch in range(epochs):
            ...                                   # opt.step(net, lr=plateau.lr)
            plateau.observe(validation_loss)

    PyTorch's ReduceLROnPlateau, its defaults and its rules: a new best must beat the old by the threshold, relative
    ("rel": best·(1 ∓ threshold)) or absolute ("abs": best ∓ threshold). NaN and infinities are never a best. During
    `cooldown` observations after a drop nothing is counted. Drops smaller than 1e-8 are not made.

    Attributes:
        lr: the learning rate now.
        best: the best metric so far, or None.
        bad: observations since, without those of a cooldown.
        cooling: observations of the cooldown that are left.
        drops: how often lr was reduced.

    Raises:
        ConfigError: a setting without meaning.
    """

    def __init__(
        self,
        lr: float,
        *,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        require(lr >= 0 and min_lr >= 0, "the learning rate is not negative", actual=(lr, min_lr))
        require(0 < factor < 1, "factor makes the learning rate smaller", expected="0 < factor < 1", actual=factor)
        require(patience >= 0 and cooldown >= 0, "patience and cooldown count", actual=(patience, cooldown))
        require(threshold >= 0, "threshold is not negative", actual=threshold)
        require(threshold_mode in ("rel", "abs"), "threshold_mode is rel or abs", actual=repr(threshold_mode))
        require(mode in ("min", "max"), "mode is min or max", actual=repr(mode))
        self.initial_lr, self.factor, self.patience, self.threshold = lr, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.min_lr, self.mode = threshold_mode, cooldown, min_lr, mode
        self.lr = lr
        self.best: float | None = None
        self.bad = self.cooling = self.drops = 0

    @property
    def scale(self) -> float:
        """lr over the first lr: a factor on the schedule of another, `schedule(step) * plateau.scale`."""
        return self.lr / self.initial_lr if self.initial_lr else 1.0

    def observe(self, metric: float) -> float:
        """Take note of the metric, once an epoch; return lr."""
        metric = float(metric)
        if self._improves(metric):
            self.best, self.bad = metric, 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad = 0
        if self.bad > self.patience:
            lower = max(self.lr * self.factor, self.min_lr)
            if self.lr - lower > 1e-8:
                self.lr = lower
                self.drops += 1
            self.cooling, self.bad = self.cooldown, 0
        return self.lr

    def _improves(self, metric: float) -> bool:
        if self.best is None or not math.isfinite(metric):
            return math.isfinite(metric)
        sign = 1.0 if self.mode == "max" else -1.0
        margin = sign * self.threshold * (self.best if self.threshold_mode == "rel" else 1.0)
        return sign * metric > sign * (self.best + margin)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep: plain numbers by name."""
        return {name: getattr(self, name) for name in ("lr", "best", "bad", "cooling", "drops")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one, of the same settings, stood. Raises ConfigError where names do not fit."""
        own = self.state_dict()
        if set(state) != set(own):
            raise ConfigError("this is no state of ReduceOnPlateau", expected=", ".join(own), actual=", ".join(state))
        for name, value in state.items():
            setattr(self, name, value)
