"""BatchNorm1d and BatchNorm2d: give every channel mean 0 and variance 1 over the batch, then scale and shift it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw, Values
from scratchnet.core.initializers import Ones, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require
from scratchnet.core.types import Array, Shape, Views

from ._statistics import scale_and_shift, wide

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input, the statistics that normalised it, and whether they were those of the batch."""

    x: Array
    mean: Array
    rstd: Array
    of_batch: bool


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """What BatchNorm1d and BatchNorm2d share: all but the shapes that they take."""

    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        require(self.eps > 0, f"{name}'s eps is positive", actual=self.eps)
        require(0 <= self.momentum <= 1, f"{name}'s momentum lies in [0, 1]", actual=self.momentum)

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """gamma and beta, one of each a channel, where affine."""
        return scale_and_shift(self.out_shape(in_shape)[:1], self.affine)

    def buffers(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """The running statistics: mean 0 and variance 1 at the start."""
        channels = self.out_shape(in_shape)[:1]
        return {"running_mean": ParamSpec(channels, Zeros()), "running_var": ParamSpec(channels, Ones())}

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = gamma·(x - mean)·rstd + beta, by the batch's statistics in training, by the running ones otherwise."""
        y, channels = run.empty(x.shape, x.dtype), x.shape[1:2]
        mean, rstd = run.empty(channels, wide(x.dtype)), run.empty(channels, wide(x.dtype))
        given = x, p.get("gamma"), p.get("beta"), p["running_mean"], p["running_var"]
        if not run.training:
            k.batch_norm_eval(*given, y, mean, rstd, self.eps)
            return y, Saved(x, mean, rstd, of_batch=False)
        if len(x) * math.prod(x.shape[2:]) < 2:
            raise self.refuse(
                "two or more values a channel in training, to have a variance",
                x.shape,
                hint="use batches of two or more (the loader can drop a last batch of one), or training=False",
            )
        new_mean, new_var = run.empty(channels, x.dtype), run.empty(channels, x.dtype)
        k.batch_norm(*given, y, mean, rstd, new_mean, new_var, self.eps, self.momentum)
        run.update("running_mean", new_mean)
        run.update("running_var", new_var)
        return y, Saved(x, mean, rstd, of_batch=True)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = gamma·(x - mean)·rstd + beta; mean and rstd depend on x if they are the batch's, else not."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        op = k.batch_norm_backward if saved.of_batch else k.batch_norm_eval_backward
        op(saved.x, p.get("gamma"), saved.mean, saved.rstd, dy, g.get("gamma"), g.get("beta"), dx)
        return dx


@layer
class BatchNorm1d(BatchNorm):
    """y = gamma·(x - mean)/√(var + eps) + beta, channel by channel (Ioffe & Szegedy 2015, algorithm 1).

    In training mean and var are the batch's: mean = Σ x / M, var = Σ (x - mean)² / M over the M = N·L values of a
    channel. They also move the running statistics, running = (1 - momentum)·running + momentum·batch's, with the
    unbiased var·M/(M - 1). Otherwise mean and var are the running ones. This is PyTorch's convention throughout.

    Shapes: x and y (N, C) or (N, C, L); gamma, beta, running_mean, running_var (C,).
    Derivative: with xhat = (x - mean)·rstd, rstd = 1/√(var + eps): dgamma = Σ dy·xhat, dbeta = Σ dy, and
        dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M) in training, dx = gamma·rstd·dy otherwise.

    Args:
        eps: added to the variance.
        momentum: share of the new in the running statistics.
        affine: whether there are gamma and beta.

    Raises:
        ShapeError: where x is of another form, or a training batch has one value a channel.
    """

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C,) or (C, L), unchanged."""
        if len(in_shape) not in (1, 2):
            raise self.refuse("(N, C) or (N, C, L)", ("N", *in_shape), hint="BatchNorm2d takes (N, C, H, W)")
        return in_shape

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Both forms, each setting. A batch of two (N, C) has xhat = ±1 but for eps, so eps must be felt there."""
        channels = draw.integer(1, 5)
        if draw.one_of(True, False):
            made = cls(draw.one_of(0.1, 0.5), draw.one_of(0.1, 0.9), draw.one_of(True, False))
            return Case(made, in_shape=(channels,), mixes_batch=True)
        made = cls(draw.one_of(1e-5, 0.1), draw.one_of(0.1, 0.9), draw.one_of(True, False))
        values: Values = draw.one_of("normal", "large", "positive")
        return Case(made, in_shape=(channels, draw.integer(2, 6)), values=values, mixes_batch=True)


@layer
class BatchNorm2d(BatchNorm):
    """y = gamma·(x - mean)/√(var + eps) + beta, channel by channel: BatchNorm1d for images.

    Shapes: x and y (N, C, H, W); gamma, beta, running_mean, running_var (C,). Statistics run over the M = N·H·W values
        of a channel. Formula, derivative, arguments and running statistics are BatchNorm1d's.

    Raises:
        ShapeError: where x is not (N, C, H, W), or a training batch has one value a channel.
    """

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W), unchanged."""
        if len(in_shape) != 3:
            raise self.refuse("(N, C, H, W)", ("N", *in_shape), hint="BatchNorm1d takes (N, C) and (N, C, L)")
        return in_shape

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Small images, each setting."""
        made = cls(draw.one_of(1e-5, 0.1), draw.one_of(0.1, 0.9), draw.one_of(True, False))
        shape = draw.integer(1, 4), draw.integer(1, 4), draw.integer(2, 5)
        return Case(made, in_shape=shape, values=draw.one_of("normal", "large", "positive"), mixes_batch=True)
