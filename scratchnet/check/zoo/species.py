"""What the bug zoo is made of: right pairs in plain NumPy, realistic mistakes in them, and harmless variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Forward = Callable[..., Any]
Backward = Callable[..., Any]
Inputs = Callable[[np.random.Generator], Mapping[str, Any]]

SLIP = "a common slip in CS231n-style assignments"


@dataclass(frozen=True)
class Mutant:
    """A species with one mistake.

    Attributes:
        name: of the mistake, unique within its species.
        backward: the wrong backward.
        spoils: the inputs whose gradients are wrong, or that break a promise.
        kinds: the kinds of mistake that a checker may name, the best first.
        what: the mistake, in a line.
        seen: where a mistake of this sort was made.
    """

    name: str
    backward: Backward
    spoils: tuple[str, ...]
    kinds: tuple[str, ...]
    what: str
    seen: str


@dataclass(frozen=True)
class Twin:
    """Another backward that is right: a checker that rejects it raises a false alarm.

    Attributes:
        name: unique within its species.
        backward: the other backward.
        what: why it is right.
    """

    name: str
    backward: Backward
    what: str


@dataclass(frozen=True)
class Species:
    """A forward and its right backward, and what may go wrong in it.

    Attributes:
        name: unique in the zoo.
        forward: `forward(*inputs) -> (out, cache)`.
        backward: `backward(dout, cache) -> tuple of gradients`, one for each input of floats, in their order.
        inputs: draws the inputs, by name and in order. Whole numbers, numbers and strings have no gradient.
        mutants: wrong backwards.
        twins: further right ones.
        family: the file that it lives in.
    """

    name: str
    forward: Forward
    backward: Backward
    inputs: Inputs
    mutants: Sequence[Mutant]
    twins: Sequence[Twin] = ()
    family: str = ""


def bug(backward: Backward, name: str, spoils: str, kinds: str, what: str, seen: str = SLIP) -> Mutant:
    """The mutant that `backward` is when called with `wrong=name`; spoils and kinds are lists with commas."""
    return Mutant(name, partial(backward, wrong=name), tuple(spoils.split(", ")), tuple(kinds.split(", ")), what, seen)


def right(backward: Backward, name: str, what: str) -> Twin:
    """The harmless variant that `backward` is when called with `wrong=name`."""
    return Twin(name, partial(backward, wrong=name), what)
