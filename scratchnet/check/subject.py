"""What is checked: a function of some arrays, and the gradients that somebody claims for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from scratchnet.core.types import Array

if TYPE_CHECKING:
    from .numbers import Numbers


class NotRun(Exception):  # noqa: N818  (no error: a rung that does not apply, and why)
    """This kind of proof cannot be had of this subject; the message says why."""


@contextmanager
def as_far_as_numbers_go(dtype: np.dtype[Any]) -> Iterator[None]:
    """Raise NotRun where Python numbers meet a root or an exponential that fractions have not."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        asked = re.search(r"Fraction\b.* has no (?:attribute|callable) '?(\w+)", str(error))
        if asked is None or dtype.kind != "O":
            raise
        raise NotRun(f"fractions have no {asked[1]}") from error


class Subject(Protocol):
    """A function of arrays with its claimed gradients, on one kind of number.

    There are four: `subjects/` holds plain functions, a layer under a case, a loss, and a network with its loss.
    """

    trusted: bool
    """Whether its formulas are known to carry every kind of number. If not, a slope is held against a measured one
    before it counts as evidence."""

    composed: bool
    """Whether kinks may meet in it, where the chain rule's gradient need be no subgradient."""

    def arguments(self) -> Mapping[str, Array]:
        """The arrays that the output is differentiated by. Probes write into them and put back what was there."""
        ...

    def output(self) -> Array:
        """The output of the arguments as they are now. A fresh array."""
        ...

    def gradients(self, dout: Array) -> Mapping[str, Array]:
        """The claimed gradients of Σ dout·output by every argument, from a forward of their own. Fresh arrays."""
        ...

    def on(self, numbers: Numbers) -> Subject:
        """The same with the same values on another kind of number. Raises NotRun where that cannot be."""
        ...

    def beside(self) -> Mapping[str, Array]:
        """Arrays that a wrong gradient may have as a factor too many or too few, by name."""
        ...

    def facts(self) -> Mapping[str, float]:
        """Numbers by name, such as a rate, that may have got into a factor."""
        ...


def size_of(array: Array) -> float:
    """A power of two about as large as the elements; 1 for zeros."""
    finite = np.abs(array[np.isfinite(array)]) if array.size else array
    mean = float(np.mean(finite)) if finite.size else 0.0
    return float(2.0 ** np.clip(np.round(np.log2(mean)), -300, 300)) if 0 < mean < np.inf else 1.0
