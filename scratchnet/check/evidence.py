"""What is known about a wrong gradient when its mistake is to be named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scratchnet.core.types import Array


@dataclass(frozen=True)
class Evidence:
    """One argument's wrong gradient, and the function around it.

    Attributes:
        analytic: what the backward returned.
        numeric: the slope of the function; NaN where it was not probed.
        room: absolute error of `numeric`.
        dout: the cotangent that both belong to.
        out: the output.
        columns: of each probed coordinate, the slope of every output: the Jacobian's columns. Σ dout·column = numeric.
        beside: arrays that may have got into the gradient as a factor, by name.
        facts: numbers that may have got into a factor, by name.
        respond: the backward's gradient by this argument for another cotangent.
        argument: its name.
    """

    analytic: Array
    numeric: Array
    room: float
    dout: Array
    out: Array
    columns: Mapping[tuple[int, ...], Array] = field(default_factory=dict)
    beside: Mapping[str, Array] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    respond: Callable[[Array], Array] | None = None
    argument: str = ""
