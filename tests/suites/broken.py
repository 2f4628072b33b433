"""Deliberately broken layers, each with one realistic mistake that the suites must catch.

None of them is registered: they are plain dataclasses.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scratchnet.layers import Dense, ReLU

BROKEN = {}


def broken(cls):
    """Enter a broken layer, with the mistake as its docstring."""
    made = dataclass(frozen=True, repr=False)(cls)
    BROKEN[made.__name__] = made
    return made


class Saved(NamedTuple):
    x: np.ndarray


@broken
class DenseSign(Dense):
    """dx with the wrong sign."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else np.negative(dx, out=dx)


@broken
class DenseBiasAveraged(Dense):
    """db is the mean over the batch, not the sum."""

    def backward(self, k, p, g, saved, dy, run):
        before = g["b"].copy() if "b" in g else None
        dx = super().backward(k, p, g, saved, dy, run)
        if before is not None:
            g["b"][...] = before + (g["b"] - before) / len(dy)
        return dx


@broken
class DenseAssigns(Dense):
    """dW is assigned and not added: wrong under weight reuse."""

    def backward(self, k, p, g, saved, dy, run):
        g["W"][...] = 0
        return super().backward(k, p, g, saved, dy, run)


@broken
class DenseMutatesCotangent(Dense):
    """dy is scaled in place."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        dy *= 0.5
        return dx


@broken
class DenseMutatesInput(Dense):
    """x is overwritten."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        x += 1
        return y, saved


@broken
class DenseTransposed(Dense):
    """dx uses W for Wᵀ, which nothing but a square W lets through by shape."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None and p["W"].shape[0] == p["W"].shape[1]:
            dx[...] = dy @ p["W"].T
        return dx


@broken
class DenseIgnoresNeedDx(Dense):
    """dx is returned though nobody wants it."""

    def backward(self, k, p, g, saved, dy, run):
        run.need_dx = True
        return super().backward(k, p, g, saved, dy, run)


@broken
class DenseReturnsView(Dense):
    """y is a view of the layer's own array: the second forward overwrites the first's."""

    def forward(self, k, p, x, run):
        y = _OWN.setdefault((len(x), self.out, x.dtype), np.empty((len(x), self.out), x.dtype))
        k.dense(x, p["W"], p.get("b"), y)
        return y, super().forward(k, p, x, run)[1]


_OWN = {}


@broken
class DenseWrongShape(Dense):
    """out_shape says one more than there is."""

    def out_shape(self, in_shape):
        return (super().out_shape(in_shape)[0] + 1,)


@broken
class DenseForgetsSetting(Dense):
    """repr leaves a setting out."""

    def __repr__(self):
        return f"DenseForgetsSetting({self.out})"


@broken
class DenseComputesOutside(Dense):
    """Arithmetic outside k: a plan would miss it."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        return y * 2, saved

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved, dy * 2, run)


@broken
class DenseAsksValues(Dense):
    """Python control flow on values: a plan would bake one branch in."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if float(np.max(x.real)) > 0.5:
            k.add(y, y, y)
        return y, saved

    def backward(self, k, p, g, saved, dy, run):
        if float(np.max(saved.x.real)) > 0.5:
            twice = run.empty(dy.shape, dy.dtype)
            k.add(dy, dy, twice)
            dy = twice
        return super().backward(k, p, g, saved, dy, run)


@broken
class ReLUMaskFromCotangent(ReLU):
    """The mask is taken from dy."""

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved._replace(y=dy), dy, run)


@broken
class ReLUForgetsCotangent(ReLU):
    """dx is the mask alone."""

    def backward(self, k, p, g, saved, dy, run):
        ones = run.empty(dy.shape, dy.dtype)
        ones.fill(1)
        return super().backward(k, p, g, saved, ones, run)


@broken
class ReLUSquaresCotangent(ReLU):
    """dx is right only where |dy| = 1."""

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved, dy * np.abs(dy), run)


@broken
class ReLULeaks(ReLU):
    """The negative side gets a hundredth of dy."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else dx + 0.01 * np.where(saved.y.real > 0, 0, dy)


@broken
class ReLUWidens(ReLU):
    """dx comes out in float64 whatever goes in."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else dx.astype(np.complex128)


@broken
class ReLUMixesRows(ReLU):
    """The gradient of the first row leaks into the last."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None and len(dx) > 1:
            dx[-1] += dx[0]
        return dx


@broken
class ReLUAssumesContiguous(ReLU):
    """dy is read in memory order, whatever its strides."""

    def backward(self, k, p, g, saved, dy, run):
        flat = np.ascontiguousarray(dy) if dy.flags.c_contiguous else dy.ravel(order="K").reshape(dy.shape)
        return super().backward(k, p, g, saved, flat, run)


@broken
class ReLUZeroBackward(ReLU):
    """dx is zero."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None:
            dx.fill(0)
        return dx
