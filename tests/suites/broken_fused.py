"""Deliberately broken fused layers, entered like those in broken.py."""

import numpy as np

from scratchnet.layers.conv_relu_pool import ConvReLUPool
from scratchnet.layers.dense_relu import DenseReLU

from .broken import broken
from .broken_sequences import Table


class Misled(ConvReLUPool):
    """The backward as it is, with the places that `wrong` makes of those in `at`."""

    def backward(self, k, p, g, saved, dy, run):
        def misled(x, W, at, *rest):
            height, width = rest[-4]
            k.conv2d_relu_max_pool2d_backward(x, W, self.wrong(at, height, width).astype(at.dtype), *rest)

        return super().backward(Table(k, conv2d_relu_max_pool2d_backward=misled), p, g, saved, dy, run)


@broken
class ConvReLUPoolOffByOne(Misled):
    """The gradient goes to the element beside the winner."""

    def wrong(self, at, height, width):
        dead = height * width
        return np.where(at == dead, dead, (at + 1) % dead)


@broken
class ConvReLUPoolTransposed(Misled):
    """The place in the window is read column by column."""

    def wrong(self, at, height, width):
        dead = height * width
        return np.where(at == dead, dead, at % height * width + at // height)


@broken
class ConvReLUPoolDeadUnitsLearn(Misled):
    """The ReLU's mask is forgotten: dead windows pass their gradient to their first element."""

    def wrong(self, at, height, width):
        return np.where(at == height * width, 0, at)


@broken
class ConvReLUPoolBorderCut(ConvReLUPool):
    """dx is read from its border one row too low: the rows overlap with those of the next image's border."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else np.roll(dx, -1, axis=2)


@broken
class ConvReLUPoolOverlapOverwritten(ConvReLUPool):
    """Where patches of dx overlap, the last one is kept, and not their sum."""

    def backward(self, k, p, g, saved, dy, run):
        def overwritten(x, W, at, dy, dW, db, dx, *settings):
            k.conv2d_relu_max_pool2d_backward(x, W, at, dy, dW, db, dx, *settings)
            if dx is None:
                return
            kept, one, spare = dx.copy(), np.zeros_like(dy), np.zeros_like(dW)
            for index in np.ndindex(*dy.shape[1:]):
                one[:, *index] = dy[:, *index]
                k.conv2d_relu_max_pool2d_backward(x, W, at, one, spare, None, kept, *settings)
                np.copyto(dx, kept, where=kept != 0)
                one[:, *index] = 0

        return super().backward(Table(k, conv2d_relu_max_pool2d_backward=overwritten), p, g, saved, dy, run)


@broken
class ConvReLUPoolBiasOfAll(ConvReLUPool):
    """db is the sum of dy over all windows, dead ones too."""

    def backward(self, k, p, g, saved, dy, run):
        name = f"{self.first}.b"
        before = g[name].copy() if name in g else None
        dx = super().backward(k, p, g, saved, dy, run)
        if before is not None:
            g[name][...] = before + dy.sum((0, 2, 3))
        return dx


class Otherwise(DenseReLU):
    """The backward with `wrong` in the place of its op."""

    def backward(self, k, p, g, saved, dy, run):
        def wrong(*args):
            self.wrong(k, *args)

        return super().backward(Table(k, dense_relu_backward=wrong), p, g, saved, dy, run)


@broken
class DenseReLUMaskForgotten(Otherwise):
    """Dead units learn too."""

    def wrong(self, k, x, W, y, dy, dW, db, dx):
        k.dense_backward(x, W, dy, dW, db, dx)


@broken
class DenseReLUMaskOfCotangent(Otherwise):
    """What passes is where dy > 0."""

    def wrong(self, k, x, W, y, dy, dW, db, dx):
        k.dense_relu_backward(x, W, dy, dy, dW, db, dx)


@broken
class DenseReLUInputUnmasked(Otherwise):
    """dx = dy W, and not da W."""

    def wrong(self, k, x, W, y, dy, dW, db, dx):
        k.dense_relu_backward(x, W, y, dy, dW, db, None)
        if dx is not None:
            k.dense_backward(x, W, dy, np.zeros_like(dW), None, dx)


@broken
class DenseReLUBiasOfAll(Otherwise):
    """db is the sum of dy, dead units' too."""

    def wrong(self, k, x, W, y, dy, dW, db, dx):
        k.dense_relu_backward(x, W, y, dy, dW, None, dx)
        if db is not None:
            k.dense_backward(x, W, dy, np.zeros_like(dW), db, None)
