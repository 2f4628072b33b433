"""A loss with its logits and targets as a subject of checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.loss import Loss, LossCase
from scratchnet.core.run import Pool, Run
from scratchnet.core.types import Array
from scratchnet_kernels import get_backend

from ..errors import CheckError
from ..numbers import Numbers, convert, rounded
from ..subject import as_far_as_numbers_go


def draw_targets(case: LossCase, logits: Array, rng: np.random.Generator) -> Array:
    """Targets in the form that the case names."""
    if case.targets == "index":
        t = rng.integers(0, case.classes, case.shape[:1])
        ignored = getattr(case.loss, "ignore_index", None)
        if ignored is not None:  # be it a class or not
            t[rng.random(t.shape) < 0.25] = ignored
        if (t == ignored).all():  # which has no mean
            t[0] = (t[0] + 1) % case.classes
        return t
    if case.targets == "probabilities":
        p = rng.random(case.shape) + 0.05
        return np.asarray(p / p.sum(axis=1, keepdims=True))
    if case.targets == "unit":
        return rng.random(case.shape)
    if case.targets == "ties":  # equal to some of the logits, and at distance 1 from others
        return logits.real + rng.integers(-1, 2, case.shape)
    return rng.normal(size=case.shape)


class LossSubject:
    """value = loss(logits, targets), by the logits; the cotangent is dvalue, the upstream gradient."""

    trusted = True
    composed = False

    def __init__(
        self, loss: Loss, logits: Array, targets: Array, *, backend: str = "reference", numbers: Numbers = "float64"
    ) -> None:
        self.loss, self.logits, self.targets, self.backend, self.numbers = loss, logits, targets, backend, numbers

    def run(self, dvalue: Any = 1.0) -> tuple[Array, Array]:
        """(value, dlogits), both fresh."""
        run = Run(Pool(debug=True), training=False, count=np.zeros(1, np.int64))
        k = get_backend(self.backend).table()
        with as_far_as_numbers_go(self.logits.dtype):
            value, saved = self.loss.forward(k, self.logits, self.loss.admit(self.logits, self.targets), run)
            if value.shape != ():
                raise CheckError("the value of a loss has no axes", where=repr(self.loss), actual=value.shape)
            return value.copy(), self.loss.backward(k, saved, np.asarray(float(np.real(dvalue))), run)

    def arguments(self) -> dict[str, Array]:
        """The logits."""
        return {"logits": self.logits}

    def output(self) -> Array:
        """The value."""
        return self.run()[0]

    def gradients(self, dout: Array) -> dict[str, Array]:
        """dlogits for dvalue = dout."""
        dlogits = self.run(dout[()])[1]
        if self.numbers in ("digits", "fractions") and rounded(dlogits):
            raise CheckError(f"dlogits on {self.numbers} turned into floats", where=repr(self.loss))
        return {"logits": dlogits}

    def on(self, numbers: Numbers) -> LossSubject:
        """The same in other numbers, on the reference backend."""
        if numbers == self.numbers:
            return self
        logits, targets = (convert(a, numbers) if a.dtype.kind == "f" else a for a in (self.logits, self.targets))
        return LossSubject(self.loss, logits, targets, numbers=numbers)

    def beside(self) -> dict[str, Array]:
        """Logits and targets."""
        return {"logits": self.logits, "targets": self.targets}

    def facts(self) -> dict[str, float]:
        """Numbers among the loss's settings."""
        return {
            name: float(value)
            for name, value in vars(self.loss).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
