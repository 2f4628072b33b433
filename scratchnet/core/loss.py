"""The loss: like a layer, a frozen dataclass with a forward and a backward; unlike one, it ends in a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, dataclass_transform

import numpy as np

from scratchnet_kernels import get_backend

from .case import Draw
from .errors import ConfigError, DtypeError, ShapeError, TapeError
from .layer import checks_fields, source
from .run import Pool, Run
from .tape import Tape
from .types import Array, Shape

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable

LOSSES: dict[str, type[Loss]] = {}
"""Every loss class by name. The suites in tests/ walk it."""


class LossCase(NamedTuple):
    """One setting of a loss to hold against every check: how logits are drawn, and how targets are.

    logits: the shape with the batch axis. targets: "index" (classes below `classes`), "probabilities",
    "normal", "unit" (in [0, 1]), or "ties" (equal to some of the logits).
    """

    loss: Loss
    shape: Shape
    targets: str
    classes: int = 0


class Loss:
    """Base of every loss.

    value, dlogits = loss(logits, targets, tape)
    """

    def admit(self, logits: Array, targets: Array) -> Array:
        """Refuse targets that do not fit; return them as the forward takes them."""
        raise NotImplementedError(f"{type(self).__name__} has no admit")

    def forward(self, k: OpTable, logits: Array, targets: Array, run: Run) -> tuple[Array, Any]:
        """Return (value, saved); `value` has no axes."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, k: OpTable, saved: Any, dvalue: Array, run: Run) -> Array:
        """Return dlogits = dvalue · ∂value/∂logits; dvalue is a float64 array without axes."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    @classmethod
    def cases(cls, draw: Draw) -> LossCase:
        """One drawn case under which every check must hold."""
        raise NotImplementedError(f"{cls.__name__} has no cases")

    def __repr__(self) -> str:
        """The loss's own source code: settings that equal their default are left out."""
        return source(self)

    def __call__(
        self, logits: Array, targets: Array, tape: Tape | None = None, *, dvalue: float = 1.0
    ) -> tuple[Array, Array]:
        """The loss of a batch and its gradient.

        Args:
            logits: what the network put out, (N, ...), N >= 1.
            targets: what it should have put out; each loss says in which form.
            tape: the forward's tape; dlogits is leased from its memory. Without one, fresh memory is used.
            dvalue: upstream gradient; scale it to accumulate over parts of a batch.

        Returns:
            (value, dlogits): an array without axes, fresh (`float(value)` reads it), and an array like logits.

        Raises:
            TargetError, ShapeError, DtypeError: where logits and targets do not fit.
            TapeError: where the tape is spent, so that the logits may have been overwritten.
        """
        if not isinstance(logits, np.ndarray) or logits.dtype.kind not in "fcO":
            raise DtypeError("logits are an array of floats", actual=getattr(logits, "dtype", type(logits).__name__))
        if logits.ndim == 0 or logits.shape[0] == 0:
            raise ShapeError("the batch is empty", expected="N >= 1 samples", actual=logits.shape)
        if tape is not None and tape.spent:
            raise TapeError("this tape is spent: its logits may have been overwritten", hint="run forward again")
        run = tape.run if tape is not None else Run(Pool(), training=False, count=np.zeros(1, np.int64))
        k = tape.k if tape is not None else get_backend("reference").table()
        value, saved = self.forward(k, logits, self.admit(logits, targets), run)
        return value.copy(), self.backward(k, saved, np.asarray(dvalue, np.float64), run)


C = TypeVar("C", bound=Loss)


@dataclass_transform(frozen_default=True)
def loss(cls: type[C]) -> type[C]:
    """Make a class a frozen dataclass whose repr is its source, and enter it into `LOSSES`."""
    checks_fields(cls)
    made = dataclass(frozen=True, repr=False)(cls)
    known = LOSSES.get(made.__name__)
    if known is not None and known.__module__ != made.__module__:
        raise ConfigError(f"there are two losses called {made.__name__}")
    LOSSES[made.__name__] = made
    return made
