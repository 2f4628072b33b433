"""RMSNorm: give every position a root mean square of 1, then scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import Ones
from scratchnet.core.layer import Layer, ParamSpec, layer, require
from scratchnet.core.types import Array, Shape, Views

from ._statistics import wide

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input, and the reciprocal of its root mean square."""

    x: Array
    rrms: Array


@layer
class RMSNorm(Layer):
    """y = gamma·x/√(Σ x² / D + eps), over the last axis, of extent D (Zhang & Sennrich 2019, eq. 4).

    LayerNorm without the centring: nothing is subtracted, and there is no beta.

    Shapes: x and y (N, ..., D), gamma (D,).
    Derivative: with rrms = 1/√(Σ x² / D + eps), xhat = x·rrms and t = gamma·dy: dgamma = Σ dy·xhat over all other
        axes, dx = rrms·(t - xhat·Σ(t·xhat) / D).

    Args:
        eps: added to the mean square; None for the spacing of the element type at 1 (1.2e-7 in float32), as in
            PyTorch.
        affine: whether there is a gamma.

    Raises:
        ShapeError: where x has no axis besides the batch.
    """

    eps: float | None = None
    affine: bool = True

    def __post_init__(self) -> None:
        require(self.eps is None or self.eps > 0, "RMSNorm's eps is positive, or None", actual=self.eps)

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """gamma, 1 at the start, where affine."""
        return {"gamma": ParamSpec(self.out_shape(in_shape)[-1:], Ones())} if self.affine else {}

    def out_shape(self, in_shape: Shape) -> Shape:
        """Unchanged."""
        if not in_shape:
            raise self.refuse("(N, ..., D)", ("N", *in_shape))
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = gamma·x·rrms."""
        y, rrms = run.empty(x.shape, x.dtype), run.empty(x.shape[:-1], wide(x.dtype))
        eps = self.eps
        if eps is None:
            eps = float(np.finfo(np.float64 if x.dtype.hasobject else x.dtype).eps)
        k.rms_norm(x, p.get("gamma"), y, rrms, eps)
        return y, Saved(x, rrms)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = gamma·x·rrms, where rrms depends on x."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        k.rms_norm_backward(saved.x, p.get("gamma"), saved.rrms, dy, g.get("gamma"), dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Rows of one element and more, one to three axes."""
        shape = (*draw.one_of((), (3,), (2, 4)), draw.integer(2, 7))
        made = cls(draw.one_of(None, 1e-5, 0.1), draw.one_of(True, False))
        return Case(made, in_shape=shape, values=draw.one_of("normal", "large", "positive"))
