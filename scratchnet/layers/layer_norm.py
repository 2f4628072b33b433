"""LayerNorm: give each sample, or each position of it, mean 0 and variance 1, then scale and shift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._statistics import Saved, flat, scale_and_shift, wide

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


@layer
class LayerNorm(Layer):
    """y = gamma·(x - mean)/√(var + eps) + beta over the last `axes` axes (Ba, Kiros & Hinton 2016, eq. 3).

    mean = Σ x / D and var = Σ (x - mean)² / D run over the D values of those axes: LayerNorm() normalises every
    position of (N, T, D) by itself, LayerNorm(axes=3) a whole (C, H, W). PyTorch's LayerNorm names the same axes by
    their extents (normalized_shape).

    Shapes: x and y (N, ...); gamma and beta as the last `axes` axes of x.
    Derivative: with xhat = (x - mean)·rstd, rstd = 1/√(var + eps) and t = gamma·dy: dgamma = Σ dy·xhat and
        dbeta = Σ dy over all other axes, dx = rstd·(t - Σ t / D - xhat·Σ(t·xhat) / D).

    Args:
        axes: how many axes, counted from the last, are normalised together.
        eps: added to the variance.
        affine: whether there are gamma and beta.

    Raises:
        ShapeError: where x has fewer axes than that besides the batch.
    """

    axes: int = 1
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        require(
            whole(self.axes),
            "LayerNorm normalises one axis or more",
            expected="a number of axes, counted from the last",
            actual=repr(self.axes),
        )
        require(self.eps > 0, "LayerNorm's eps is positive", actual=self.eps)

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """gamma and beta, shaped as the normalised axes, where affine."""
        return scale_and_shift(self.out_shape(in_shape)[len(in_shape) - self.axes :], self.affine)

    def out_shape(self, in_shape: Shape) -> Shape:
        """Unchanged."""
        if len(in_shape) < self.axes:
            raise self.refuse(f"{self.axes} axes or more besides the batch", ("N", *in_shape))
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = gamma·(x - mean)·rstd + beta."""
        y, rows = run.empty(x.shape, x.dtype), (math.prod(x.shape[: x.ndim - self.axes]),)
        mean, rstd = run.empty(rows, wide(x.dtype)), run.empty(rows, wide(x.dtype))
        k.layer_norm(x, flat(p.get("gamma")), flat(p.get("beta")), y, mean, rstd, self.axes, self.eps)
        return y, Saved(x, mean, rstd)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = gamma·(x - mean)·rstd + beta, where mean and rstd depend on x."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        dgamma, dbeta = flat(g.get("gamma")), flat(g.get("beta"))
        k.layer_norm_backward(saved.x, flat(p.get("gamma")), saved.mean, saved.rstd, dy, dgamma, dbeta, dx, self.axes)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One normalised axis or several, with and without axes left over; never two values, whose dx is rounding."""
        axes = draw.integer(1, 3)
        shape = (*(draw.integer(1, 4) for _ in range(axes - 1 + draw.integer(0, 1))), draw.integer(3, 5))
        made = cls(axes, draw.one_of(1e-5, 0.1), draw.one_of(True, False))
        return Case(made, in_shape=shape, values=draw.one_of("normal", "large", "positive"))
