"""What every layer puts out, and the gradient that comes back to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.core.types import Array, structured
from scratchnet.layers import Conv1d, Conv2d, ConvTranspose2d, ReLU, Sigmoid, Tanh

from ...history.records import LayerLook
from ..probe import Backward, Forward, Walk
from .numbers import Moments, Ruler, address, quotient

NEAR = 0.01  # of the activation's range: so near a bound is saturated
BOUNDS: dict[type, tuple[float, float]] = {Sigmoid: (0.0, 1.0), Tanh: (-1.0, 1.0)}
CHANNELS_FIRST = Conv1d, Conv2d, ConvTranspose2d


class Output(NamedTuple):
    """What there is to say of an array that a layer put out."""

    moments: Moments
    zero: float
    dead: Array  # of each unit: whether it is 0 in the whole batch


class Layers:
    """Measures the layers of one walk after the other; remembers which units have ever been active."""

    def __init__(self, ruler: Ruler) -> None:
        self._ruler = ruler
        self.active: dict[str, Array] = {}
        self._sources: dict[str, str] = {}  # repr takes its time

    def looks(self, walk: Walk) -> tuple[LayerLook, ...]:
        """A record for every layer, in the order of the walk."""
        seen: dict[tuple[int, tuple[int, ...], bool], Output] = {}  # what is handed on is measured once
        first: dict[int, bool] = {}  # of what was put out so far: whether units lie on axis 1
        looks = []
        for call in walk.forward:
            channels = _channels_first(call, first)
            key = address(call.y), call.y.shape, channels
            if key not in seen:
                seen[key] = self._output(call.y, channels)
            looks.append(self._look(call, seen[key], walk.backward.get(call.path)))
        return tuple(looks)

    def _look(self, call: Forward, out: Output, back: Backward | None) -> LayerLook:
        ruler, units = self._ruler, max(len(out.dead), 1)
        dead = int(np.count_nonzero(out.dead))
        never = gradient = gain = backward = None
        if isinstance(call.layer, ReLU):
            active = self.active.setdefault(call.path, np.zeros(units, bool))
            active |= ~out.dead
            never = 1 - int(np.count_nonzero(active)) / units
        if back is not None:
            gradient, backward = ruler.norm(back.dy), ruler.nonfinite(back.dy)
            if isinstance(back.dx, np.ndarray):
                gain = quotient(ruler.norm(back.dx), gradient)
        return LayerLook(
            path=call.path,
            layer=self._source(call),
            kind=type(call.layer).__name__,
            units=units,
            mean=out.moments.mean,
            std=out.moments.std,
            zero=out.zero,
            dead=dead / units,
            never=never,
            saturated=_saturated(call),
            gradient=gradient,
            gain=gain,
            forward=out.moments.nonfinite,
            backward=backward,
        )

    def _source(self, call: Forward) -> str:
        source = self._sources.get(call.path)
        if source is None:
            source = self._sources[call.path] = repr(call.layer)
        return source

    def _output(self, y: Array, channels_first: bool) -> Output:
        """Of y (N, C, ...) with its units on axis 1, or (N, ..., D) with them on the last one; (N,) has one unit."""
        nonzero = y != 0
        count = int(np.count_nonzero(nonzero))
        units = y.shape[1 if channels_first else -1] if y.ndim > 1 else 1
        dead = np.zeros(units, bool)
        if count < y.size:
            used = nonzero.reshape(len(y), -1).any(0)  # (N, ...) -> (the rest,)
            used = used.reshape(units, -1).any(1) if channels_first else used.reshape(-1, units).any(0)
            dead = ~used
        return Output(self._ruler.moments(y), 1 - count / max(y.size, 1), dead)


def _channels_first(call: Forward, known: dict[int, bool]) -> bool:
    """Whether units lie on axis 1, as in images and in what Conv1d puts out, and not on the last one (sequences)."""
    y, x = call.y, call.x
    inherited = not structured(x) and x.ndim == y.ndim and known.get(address(x), False)
    known[address(y)] = first = y.ndim != 3 or isinstance(call.layer, CHANNELS_FIRST) or inherited
    return first


def _saturated(call: Forward) -> float | None:
    bounds = BOUNDS.get(type(call.layer))
    if bounds is None:
        return None
    low, high = bounds
    near = NEAR * (high - low)
    return int(np.count_nonzero((call.y < low + near) | (call.y > high - near))) / max(call.y.size, 1)
