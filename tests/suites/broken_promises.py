"""Layers that keep the gradient and break another promise, each of which the check of that promise must catch alone."""

import numpy as np

from scratchnet.layers import BatchNorm1d, Dense, ReLU, Sigmoid, Square

from .broken_alone import by


@by("check_adds_to_gradients")
class DenseScalesGradients(Dense):
    """db is added, but what stood in it is halved."""

    def backward(self, k, p, g, saved, dy, run):
        if "b" in g:
            g["b"] *= 0.5
        return super().backward(k, p, g, saved, dy, run)


@by("check_mutates_nothing")
class DenseMutatesWeights(Dense):
    """W is scaled in the forward, and the scale stays."""

    def forward(self, k, p, x, run):
        p["W"] *= 0.5
        return super().forward(k, p, x, run)


@by("check_mutates_nothing")
class SquareMutatesSaved(Square):
    """The backward works in what was saved: a kept tape gives another dx."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        for array in saved:
            array *= 2
        return dx

    def forward(self, k, p, x, run):
        own = run.empty(x.shape, x.dtype)
        k.copy(x, own)
        return super().forward(k, p, own, run)


@by("check_mutates_nothing")
class ReLUGivesItsOutputAway(ReLU):
    """dx is written over y, which the caller still holds."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None:
            saved.y[...] = dx
        return dx


@by("check_buffers")
class BatchNormWritesBuffers(BatchNorm1d):
    """The running mean is written in the forward, past run.update."""

    def forward(self, k, p, x, run):
        p["running_mean"][...] += 1
        return super().forward(k, p, x, run)


@by("check_buffers")
class BatchNormWritesBuffersLate(BatchNorm1d):
    """The running mean is written in the backward."""

    def backward(self, k, p, g, saved, dy, run):
        p["running_mean"][...] += 1
        return super().backward(k, p, g, saved, dy, run)


@by("check_any_layout")
class ReLUAssumesContiguousInput(ReLU):
    """x is read in memory order, whatever its strides."""

    def forward(self, k, p, x, run):
        flat = x if x.flags.c_contiguous else x.ravel(order="K").reshape(x.shape)
        return super().forward(k, p, flat, run)


@by("check_any_layout")
class ReLUReadsPastStrides(ReLU):
    """dy is read as if its last axis had no gaps."""

    def backward(self, k, p, g, saved, dy, run):
        dense = np.lib.stride_tricks.as_strided(dy, strides=(*dy.strides[:-1], dy.itemsize))
        return super().backward(k, p, g, saved, dense, run)


@by("check_any_layout")
class ReLUIgnoresDirection(ReLU):
    """dy is read upwards, though it may run downwards."""

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved, dy[::-1] if dy.strides[0] < 0 else dy, run)


@by("check_reentrant")
class DenseRemembersInput(Dense):
    """The backward uses the input of the last forward, whichever tape it is given."""

    def forward(self, k, p, x, run):
        _LAST["x"] = x
        return super().forward(k, p, x, run)

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved._replace(x=_LAST["x"]), dy, run)


_LAST = {}


@by("check_reentrant")
class ReLURemembersOutput(ReLU):
    """dx goes by the output of the last forward, whichever tape it is given."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        _LAST["y"] = y
        return y, saved

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved._replace(y=_LAST["y"]), dy, run)


@by("check_need_dx")
class DenseNeedsDx(Dense):
    """Without need_dx nothing is added for the bias."""

    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g if run.need_dx else {"W": g["W"]}, saved, dy, run)


@by("check_rows_independent")
class DenseMixesRows(Dense):
    """The mean of the batch is taken off, in a layer that is not said to mix rows."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        y -= y.mean(0)
        return y, saved


@by("check_shapes_and_dtype")
class ReLUWidensFloat32(ReLU):
    """dx comes out in float64, as from a product with a NumPy constant."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else dx * np.float64(1)


@by("check_shapes_and_dtype")
class ReLUFlattensDx(ReLU):
    """dx has an axis more than x."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return None if dx is None else dx[..., None]


@by("check_replay")
class ReLUAsksInput(ReLU):
    """The forward looks at values, the backward does not: y alone differs."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if np.any(x != 0):
            k.add(y, y, y)
        return y, saved


@by("check_replay")
class ReLUAsksCotangent(ReLU):
    """The backward looks at values: dx alone differs."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None and np.any(dy != 0):
            k.add(dx, dx, dx)
        return dx


@by("check_replay")
class DenseAsksCotangent(Dense):
    """The backward looks at values: dW and db alone differ."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if np.any(dy != 0):
            for gradient in g.values():
                k.add(gradient, gradient, gradient)
        return dx


@by("check_replay")
class BatchNormBakesItsUpdate(BatchNorm1d):
    """The new running mean is computed in Python: a plan would keep the recording's."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if run.training:
            new = run.empty(saved.mean.shape, x.dtype)
            new[...] = p["running_mean"] + x.mean((0, *range(2, x.ndim)))
            run.update("running_mean", new)
        return y, saved


@by("check_round_trip")
class DenseKeepsAnArray(Dense):
    """The bias lies in the layer and not in the store: whoever loads the parameters misses it."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        y += _HIDDEN.setdefault(id(p["W"].base), len(_HIDDEN))
        return y, saved


_HIDDEN = {}


@by("check_refuses_wrong_input")
class DenseTakesAnything(Dense):
    """A wrong number of axes meets an error of NumPy's, not one in the layer's name."""

    def out_shape(self, in_shape):
        return (*in_shape[:-1], self.out)

    def params(self, in_shape):
        return super().params(in_shape[-1:])


@by("check_parity")
class DenseWithoutBiasOnCpu(Dense):
    """On the cpu backend the bias is forgotten."""

    def forward(self, k, p, x, run):
        return super().forward(k, p if k.backend.name == "reference" else {"W": p["W"]}, x, run)


@by("check_parity")
class SigmoidInTwoBytes(Sigmoid):
    """On the cpu backend float32 goes through half precision."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if k.backend.name == "cpu" and y.dtype == np.float32:
            y[...] = y.astype(np.float16)
        return y, saved


@by("check_parity")
class SigmoidInFloat32(Sigmoid):
    """On the cpu backend float64 goes through float32."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if k.backend.name == "cpu":
            y[...] = y.astype(np.float32)
        return y, saved


@by("check_parity")
class BatchNormForgetsToUpdate(BatchNorm1d):
    """On the cpu backend the running variance is that of the batch."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if run.training and k.backend.name == "cpu":
            run.updates[f"{run.path}.running_var"] *= 1.5
        return y, saved


@by("digits", "fractions")
class ReLUHalvesInFloats(ReLU):
    """A Python float slips in, and numbers of many digits are none any more."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        return y.astype(np.float64) if y.dtype.hasobject else y, saved


@by("digits", "fractions")
class DenseOtherwiseOnObjects(Dense):
    """Another formula on objects."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        return (y + y if y.dtype.hasobject else y), saved
