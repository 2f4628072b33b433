"""Broken layers, one or more for every check, each of which that check must catch by itself.

The suites run all checks, and most mistakes trip several; so here each stands alone, lest one cover for another.
"""

from dataclasses import replace

import numpy as np

from scratchnet.check.ladder import LADDER
from scratchnet.layers import BatchNorm1d, Dense, Embedding, LayerNorm, LeakyReLU, ReLU, Sigmoid, Softplus, Square

from . import broken as wrong

CAUGHT = []


def by(*checks):
    """Enter a broken layer as one that each of the checks catches."""

    def enter(cls):
        CAUGHT.extend((check, cls) for check in checks)
        return cls

    return enter


by(*LADDER)(wrong.DenseSign)
by(*LADDER)(wrong.DenseBiasAveraged)
by(*LADDER)(wrong.DenseTransposed)
by("complex step", "finite differences")(wrong.ReLUZeroBackward)
by("complex step", "finite differences", "check_linear_in_cotangent")(wrong.ReLUSquaresCotangent)
by("complex step", "finite differences")(wrong.ReLUForgetsCotangent)
by("complex step", "finite differences", "check_rows_independent")(wrong.ReLUMixesRows)
by("check_adds_to_gradients")(wrong.DenseAssigns)
by("check_mutates_nothing")(wrong.DenseMutatesCotangent)
by("check_mutates_nothing")(wrong.DenseMutatesInput)
by("check_need_dx")(wrong.DenseIgnoresNeedDx)
by("check_reentrant")(wrong.DenseReturnsView)
by("check_shapes_and_dtype")(wrong.DenseWrongShape)
by("check_shapes_and_dtype")(wrong.ReLUWidens)
by("check_repr")(wrong.DenseForgetsSetting)
by("check_replay")(wrong.DenseComputesOutside)
by("check_replay")(wrong.DenseAsksValues)
by("check_any_layout")(wrong.ReLUAssumesContiguous)


@by("complex step", "finite differences")
class LayerNormForgetsGamma(LayerNorm):
    """dx as if gamma were 1, where it begins."""

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, {name: np.ones_like(p[name]) for name in p}, g, saved, dy, run)


@by("complex step", "finite differences")
class BatchNormForgetsVariance(BatchNorm1d):
    """In evaluation dx as if the running variance were 1, where it begins."""

    def backward(self, k, p, g, saved, dy, run):
        if not saved.of_batch:
            saved = saved._replace(rstd=np.full_like(saved.rstd, 1 / np.sqrt(1 + self.eps)))
        return super().backward(k, p, g, saved, dy, run)


@by("complex step")
class LeakyReLUPassesAtZero(LeakyReLU):
    """At the kink dx = dy: a subgradient, but of the branch that the forward did not take."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else np.where(saved.x == 0, dy, dx)


@by("finite differences")
class SquareOffInFloats(Square):
    """dx is wrong by a part in 10⁵, but not for complex numbers."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return dx if dx is None or dx.dtype.kind == "c" else dx * (1 + 1e-5)


@by("complex step")
class SigmoidAlmost(Sigmoid):
    """dx is wrong in the tenth digit, as by a constant that was typed with ten."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else dx * (1 + 1e-10)


@by("complex step", "finite differences")
class EmbeddingCountsOnce(Embedding):
    """dW[x] += dy, which counts an index that occurs twice once."""

    def backward(self, k, p, g, saved, dy, run):
        g["W"][saved.x] += dy


@by("complex step", "finite differences")
class DenseLastWrong(Dense):
    """The last weight of the last row is left out of dW, as by a loop that ends too soon."""

    def backward(self, k, p, g, saved, dy, run):
        before = g["W"][-1, -1].copy()
        dx = super().backward(k, p, g, saved, dy, run)
        g["W"][-1, -1] = before
        return dx

    @classmethod
    def cases(cls, draw):
        """Of so many weights only some are probed one by one."""
        return replace(super().cases(draw), layer=cls(40), in_shape=(40,))


@by("complex step", "finite differences")
class ReLUReturnsNothing(ReLU):
    """dx is forgotten."""

    def backward(self, k, p, g, saved, dy, run):
        super().backward(k, p, g, saved, dy, run)


@by("complex step", "finite differences")
class SigmoidOfLittle(Sigmoid):
    """Slopes of 10⁻⁹, a tenth too large: wrong is wrong at any size."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        return y * 1e-9, saved

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved, dy * 1.1e-9, run)

    @classmethod
    def cases(cls, draw):
        """Not far out, where the slope vanishes."""
        return replace(super().cases(draw), values="normal")


@by("complex step", "finite differences")
class SquareReadsUnwritten(Square):
    """The output is added to what its memory held: zeros, unless somebody used it before."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        fresh = run.empty(y.shape, y.dtype)
        k.add(fresh, y, fresh)
        return fresh, saved


@by("check_extremes")
class SoftplusOverflows(Softplus):
    """dx by eˣ / (1 + eˣ), which is ∞/∞ from x = 710 on."""

    def backward(self, k, p, g, saved, dy, run):
        super().backward(k, p, g, saved, dy, run)
        e = np.exp(saved.x)
        return dy * (e / (1 + e)) if run.need_dx else None


@by("check_ragged")
class DenseRemembersBatch(Dense):
    """db is scaled by the largest batch that was ever seen, as with a buffer that is not cut to size."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        run.pool.largest = max(getattr(run.pool, "largest", 0), len(dy))
        if "b" in g:
            g["b"] *= run.pool.largest / len(dy)
        return dx


@by("check_broadcast")
class DenseReadsOnce(Dense):
    """A dy whose rows lie in one place is read once, as by a loop over its memory."""

    def backward(self, k, p, g, saved, dy, run):
        if dy.strides[0] == 0 and len(dy) > 1:
            dy = np.concatenate([dy[:1], np.zeros_like(dy[1:])])
        return super().backward(k, p, g, saved, dy, run)


@by("check_empty")
class DenseDecays(Dense):
    """The weight decay is in the layer, so that g is not the gradient of the output."""

    def backward(self, k, p, g, saved, dy, run):
        g["W"] += 1e-2 * p["W"]
        return super().backward(k, p, g, saved, dy, run)
