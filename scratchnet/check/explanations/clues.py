"""The evidence made ready: matrices of what the backward says and of what is true, for several cotangents at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.core.types import Array

LARGE = 1_000_000
"""Entries of a Jacobian beyond which hypotheses that try many cotangents are left out."""


@dataclass(frozen=True)
class Clues:
    """P probed coordinates of the argument, M outputs, K cotangents.

    Attributes:
        shape, out_shape: of the argument and of the output.
        argument: the name of the argument, or "".
        at: the probed coordinates, as flat indices. (P,)
        dout: the cotangents. (M, K)
        jacobian: the slope of every output by every probed coordinate. (P, M); (P, 0) if it is not known
        truth: the gradients that are due, jacobian·dout. (P, K)
        claim: those that the backward returns. (P, K)
        full: the same of the whole argument. (size, K)
        matrix: the backward as a matrix, to be compared with the Jacobian. (P, M), or None
        sound: where the function has a slope; at a kink any claim between the one-sided ones is right. (P,)
        wrong: where claim and truth differ. (P,)
        room: by how much a right claim may differ from the truth.
        fine: by how much the matrix's entries may differ from the Jacobian's.
        steady: whether the backward returns the same again.
        linear: whether it is linear in dout.
        rectified: 1 or -1 where it ignores every negative, or every positive, entry of dout; else 0.
        out: the output. (M,)
        beside: known arrays, by name.
        facts: known numbers, by name.
        live: the outputs that a probed coordinate moves, where they are few among many.
        echoes: where few coordinates of many are probed: of an output that only one of them moves, that coordinate, its
            slope, and the whole gradient that the backward returns for this output alone.
    """

    shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    argument: str
    at: Array
    dout: Array
    jacobian: Array
    truth: Array
    claim: Array
    full: Array
    matrix: Array | None
    sound: Array
    wrong: Array
    room: float
    fine: float
    steady: bool
    linear: bool
    rectified: int
    out: Array
    beside: Mapping[str, Array]
    facts: Mapping[str, float]
    live: Array | None
    echoes: Sequence[tuple[int, float, Array]] = ()

    @property
    def whole(self) -> bool:
        """Whether every coordinate was probed."""
        return len(self.at) == int(np.prod(self.shape))

    @property
    def elementwise(self) -> bool:
        """Whether output i is known to depend on coordinate i alone."""
        return self.whole and self.shape == self.out_shape and self.jacobian.size > 0 and diagonal(self.jacobian)

    def agrees(self, candidate: Array, slack: float = 1.0) -> bool:
        """Whether a candidate is what the backward returns, for every cotangent. (P, K)"""
        miss = np.abs(self.claim - candidate)[self.sound]
        return bool((miss <= slack * self.room).all())

    def true_for(self, dout: Array) -> Array:
        """The true gradients of other cotangents. (M, K) -> (P, K)"""
        if self.live is not None:
            return np.asarray(self.jacobian[:, self.live] @ dout[self.live])
        return np.asarray(self.jacobian @ dout)

    @property
    def large(self) -> bool:
        """Whether products with the Jacobian take long: then only a few other cotangents are tried."""
        return len(self.at) * (self.jacobian.shape[1] if self.live is None else len(self.live)) > LARGE

    def sure(self, most: float, freedom: int = 0, chance: float = 0.3) -> float:
        """How sure, if an explanation with so many fitted numbers fits. `chance`: of one entry fitting by itself."""
        entries = int(self.wrong.sum()) * min(self.dout.shape[1], max(1, len(self.dout))) - freedom
        return float(most * (1 - 0.6 * chance ** max(entries, 0)))

    def grid(self, values: Array) -> Array:
        """Probed values in the argument's shape, one for each cotangent. (P, K) -> (*shape, K)"""
        return values.reshape(*self.shape, values.shape[-1])

    def known(self, shape: tuple[int, ...], flat: bool = False) -> dict[str, Array]:
        """Known arrays of floats that broadcast to a shape and are not constant. `flat`: only of that very shape."""
        found = {}
        arrays = dict(self.beside) | {"out": self.out.reshape(self.out_shape)}
        for name, array in arrays.items():
            if array.dtype.kind != "f" or array.size < 2 or np.ptp(array) == 0 or not np.isfinite(array).all():
                continue
            wide = _broadcast(array, shape)
            if wide is not None and (not flat or array.shape == shape):
                found[name] = wide
        return found


def at_edges(marked: Array) -> bool:
    """Whether what is marked lies at the first or last index of some axis, and no slice within is marked whole."""
    longer = [axis for axis, size in enumerate(marked.shape) if size > 2 and not marked.any(axis).all()]
    longer += [axis for axis, size in enumerate(marked.shape) if size > 2 and axis not in longer]
    for axes in subsets(len(longer), 2):
        inner = [slice(None)] * marked.ndim
        for axis in axes:
            inner[longer[axis]] = slice(1, -1)
        if not marked[tuple(inner)].any():
            return True
    return False


def diagonal(matrix: Array, tolerance: float = 1e-7) -> bool:
    """Whether a square matrix is zero beside its diagonal."""
    if matrix.shape[0] != matrix.shape[1]:
        return False
    beside = matrix - np.diag(np.diag(matrix))
    return bool(np.abs(beside).max(initial=0.0) <= tolerance * np.abs(matrix).max(initial=0.0))


def subsets(count: int, most: int = 4) -> Iterator[tuple[int, ...]]:
    """Every choice of axes, the small ones first, but none."""
    for size in range(1, min(count, most) + 1):
        yield from itertools.combinations(range(count), size)


def axes_named(axes: tuple[int, ...]) -> str:
    """Axis 0, or axes 0, 2 and 3."""
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return f"axes {', '.join(map(str, axes[:-1]))} and {axes[-1]}"


def _broadcast(array: Array, shape: tuple[int, ...]) -> Array | None:
    """An array stretched to a shape, its axes aligned at the end or else at the beginning."""
    for given in (array, array.reshape(array.shape + (1,) * (len(shape) - array.ndim))):
        try:
            return np.broadcast_to(given, shape)
        except ValueError:
            continue
    return None
