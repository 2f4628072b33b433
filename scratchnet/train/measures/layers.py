"""What every layer puts out, and the gradient that comes back to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.core.types import Array, structured
from scratchnet.layers import Conv1d, Conv2d, ConvTranspose2d, ReLU, Sigmoid, Tanh
from scratchnet_kernels import OpTable

from ..probe import Backward, Forward, Walk
from ..records import LayerLook
from .numbers import moments, nonfinite, norm, quotient

NEAR = 0.01  # of the activation's range: so near a bound is saturated
BOUNDS: dict[type, tuple[float, float]] = {Sigmoid: (0.0, 1.0), Tanh: (-1.0, 1.0)}
CHANNELS_FIRST = Conv1d, Conv2d, ConvTranspose2d


class Output(NamedTuple):
    """What there is to say of an array that a layer put out."""

    mean: float
    std: float
    nonfinite: int
    zero: float
    units: int
    dead: Array  # of each unit: whether it is 0 in the whole batch


class Layers:
    """Measures the layers of one walk after the other; remembers which units have ever been active."""

    def __init__(self, k: OpTable) -> None:
        self._k = k
        self._active: dict[str, Array] = {}

    def looks(self, walk: Walk) -> tuple[LayerLook, ...]:
        """A record for every layer, in the order of the walk."""
        seen: dict[tuple[int, int], Output] = {}  # a Flatten puts out what it was given: measured once
        first: dict[int, bool] = {}  # of sequences (N, T, D) and images of height 1 (N, C, L): whether units come first
        looks = []
        for call in walk.forward:
            channels = self._channels_first(call, first)
            key = _address(call.y), call.y.shape[1] if channels and call.y.ndim > 1 else call.y.shape[-1]
            if key not in seen:
                seen[key] = _output(self._k, call.y, channels)
            looks.append(self._look(call, seen[key], walk.backward.get(call.path)))
        return tuple(looks)

    def _channels_first(self, call: Forward, known: dict[int, bool]) -> bool:
        """Whether units lie on axis 1 (images, and what Conv1d puts out) and not on the last one (sequences)."""
        y, x = call.y, call.x
        inherited = known.get(_address(x), False) if not structured(x) else False
        first = y.ndim != 3 or isinstance(call.layer, CHANNELS_FIRST) or (inherited and x.ndim == y.ndim)
        known[_address(y)] = first
        return first

    def _look(self, call: Forward, out: Output, back: Backward | None) -> LayerLook:
        never = gradient = gain = backward = None
        if isinstance(call.layer, ReLU):
            active = self._active.setdefault(call.path, np.zeros(out.units, bool))
            active |= ~out.dead
            never = float(1 - active.mean())
        if back is not None:
            gradient = norm(self._k, [back.dy])
            backward = nonfinite(back.dy, gradient)
            if isinstance(back.dx, np.ndarray):
                gain = quotient(norm(self._k, [back.dx]), gradient)
        return LayerLook(
            path=call.path,
            layer=repr(call.layer),
            kind=type(call.layer).__name__,
            units=out.units,
            mean=out.mean,
            std=out.std,
            zero=out.zero,
            dead=float(out.dead.mean()),
            never=never,
            saturated=_saturated(call),
            gradient=gradient,
            gain=gain,
            forward=out.nonfinite,
            backward=backward,
        )


def _output(k: OpTable, y: Array, channels_first: bool) -> Output:
    found, nonzero = moments(k, y), y != 0
    if y.ndim == 1:  # one number a sample
        used = nonzero.any(keepdims=True)
    elif channels_first:
        used = nonzero.reshape(*y.shape[:2], -1).any(2).any(0)  # (N, C, ...) -> (C,)
    else:
        used = nonzero.reshape(-1, y.shape[-1]).any(0)  # (N, ..., D) -> (D,)
    zero = 1 - int(np.count_nonzero(nonzero)) / y.size
    return Output(found.mean, found.std, found.nonfinite, zero, len(used), ~used)


def _saturated(call: Forward) -> float | None:
    bounds = BOUNDS.get(type(call.layer))
    if bounds is None:
        return None
    low, high = bounds
    near = NEAR * (high - low)
    return float(np.count_nonzero((call.y < low + near) | (call.y > high - near)) / call.y.size)


def _address(a: Array) -> int:
    return int(a.__array_interface__["data"][0])
