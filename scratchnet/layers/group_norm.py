"""GroupNorm: give each group of channels of each sample mean 0 and variance 1, then scale and shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._statistics import Saved, scale_and_shift, wide

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


@layer
class GroupNorm(Layer):
    """y = gamma·(x - mean)/√(var + eps) + beta (Wu & He 2018, eq. 1, 2 and 6).

    The C channels are cut into `groups` equal parts; mean = Σ x / M and var = Σ (x - mean)² / M run over the M values
    of one part of one sample. One group is LayerNorm over the whole sample, but with gamma and beta by channel; C
    groups are instance normalisation. No statistics are kept: training and evaluation are the same.

    Shapes: x and y (N, C, ...); gamma and beta (C,).
    Derivative: with xhat = (x - mean)·rstd, rstd = 1/√(var + eps) and t = gamma·dy: dgamma = Σ dy·xhat and
        dbeta = Σ dy over all axes but the channels, dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M).

    Args:
        groups: number of parts.
        eps: added to the variance.
        affine: whether there are gamma and beta.

    Raises:
        ShapeError: where x has no channels, or their number is not divisible by groups.
    """

    groups: int
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        require(whole(self.groups), "GroupNorm's groups is a whole number, 1 or more", actual=repr(self.groups))
        require(self.eps > 0, "GroupNorm's eps is positive", actual=self.eps)

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """gamma and beta, one of each a channel, where affine."""
        return scale_and_shift(self.out_shape(in_shape)[:1], self.affine)

    def out_shape(self, in_shape: Shape) -> Shape:
        """Unchanged."""
        if not in_shape:
            raise self.refuse("(N, C, ...)", ("N", *in_shape))
        if in_shape[0] % self.groups:
            raise self.refuse(f"channels divisible by groups={self.groups}", f"{in_shape[0]} channels")
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = gamma·(x - mean)·rstd + beta."""
        y, parts = run.empty(x.shape, x.dtype), (len(x), self.groups)
        mean, rstd = run.empty(parts, wide(x.dtype)), run.empty(parts, wide(x.dtype))
        k.group_norm(x, p.get("gamma"), p.get("beta"), y, mean, rstd, self.groups, self.eps)
        return y, Saved(x, mean, rstd)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = gamma·(x - mean)·rstd + beta, where mean and rstd depend on x."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        given = saved.x, p.get("gamma"), saved.mean, saved.rstd, dy
        k.group_norm_backward(*given, g.get("gamma"), g.get("beta"), dx, self.groups)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One group, some, and as many as channels; none, one and two axes besides.

        Never two values a group: their xhat is ±1 but for eps, and so dx the rounding of a difference.
        """
        groups = draw.integer(1, 3)
        rest = draw.one_of((), (draw.integer(3, 5),), (draw.integer(1, 4), draw.integer(3, 5)))
        channels = groups * draw.integer(1 if rest else 3, 4)
        made = cls(groups, draw.one_of(1e-5, 0.1), draw.one_of(True, False))
        return Case(made, in_shape=(channels, *rest), values=draw.one_of("normal", "large", "positive"))
