"""The one family of exceptions: every message says what, where, expected, actual and what to do."""

from __future__ import annotations


class ScratchnetError(Exception):
    """Base of every error that scratchnet raises on purpose.

    The message is `what`, followed by one indented line for each of `where`, `expected`, `actual` and
    `hint` that is known. `where` may be filled in later, on the way up, by whoever knows the layer's path.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: object = None,
        actual: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.actual = actual
        self.hint = hint
        self.layer: str | None = None  # the path of the innermost layer that the error passed through

    def __str__(self) -> str:
        facts = {"where": self.where, "expected": self.expected, "actual": self.actual, "hint": self.hint}
        lines = [f"\n  {name + ':':<10}{fact}" for name, fact in facts.items() if fact is not None]
        return self.what + "".join(lines)


class ShapeError(ScratchnetError, ValueError):
    """An array has the wrong number of axes or the wrong extent."""


class DtypeError(ScratchnetError, TypeError):
    """An array has an element type that the op, layer or network does not take."""


class BackendError(ScratchnetError, RuntimeError):
    """A backend is unknown, cannot run on this machine, or lacks an op."""
