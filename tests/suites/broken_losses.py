"""Broken losses, each with one realistic mistake that check_loss must catch."""

import numpy as np

from scratchnet.losses import MSE, Huber


class MSEMissesTwo(MSE):
    """dz without its factor of 2."""

    def backward(self, k, saved, dvalue, run):
        return super().backward(k, saved, dvalue / 2, run)


class MSEIgnoresUpstream(MSE):
    """dz is right only for dvalue = ±1.7, say because its size was normalised away."""

    def backward(self, k, saved, dvalue, run):
        return super().backward(k, saved, np.sign(dvalue) * 1.7, run)


class MSEOffInFloats(MSE):
    """dz is wrong by a part in 10⁵, but not for complex numbers."""

    def backward(self, k, saved, dvalue, run):
        dz = super().backward(k, saved, dvalue, run)
        return dz if dz.dtype.kind == "c" else dz * dz.dtype.type(1 + 1e-5)


class HuberAlmost(Huber):
    """dz is wrong in the tenth digit."""

    def backward(self, k, saved, dvalue, run):
        return super().backward(k, saved, dvalue * (1 + 1e-10), run)


class MSEMutatesTargets(MSE):
    """The targets end as the differences."""

    def backward(self, k, saved, dvalue, run):
        dz = super().backward(k, saved, dvalue, run)
        saved.t[...] = saved.z - saved.t
        return dz


class MSEMutatesLogits(MSE):
    """dz is written over the logits."""

    def backward(self, k, saved, dvalue, run):
        dz = super().backward(k, saved, dvalue, run)
        saved.z[...] = dz
        return dz


class MSEWidens(MSE):
    """dz comes out in float64."""

    def backward(self, k, saved, dvalue, run):
        dz = super().backward(k, saved, dvalue, run)
        return dz * np.float64(1) if dz.dtype.kind == "f" else dz


class MSEHasAnAxis(MSE):
    """value is an array of one element."""

    def forward(self, k, logits, targets, run):
        value, saved = super().forward(k, logits, targets, run)
        return value.reshape(1), saved


class MSEAssumesContiguous(MSE):
    """On the cpu backend the logits are read in memory order."""

    def forward(self, k, logits, targets, run):
        if k.backend.name == "cpu" and not logits.flags.c_contiguous:
            logits = logits.ravel(order="K").reshape(logits.shape)
        return super().forward(k, logits, targets, run)


class MSEForgetsMeanOnCpu(MSE):
    """On the cpu backend dz is that of the sum."""

    def backward(self, k, saved, dvalue, run):
        return super().backward(k, saved, dvalue * saved.z.size if k.backend.name == "cpu" else dvalue, run)


class MSERoundsOnCpu(MSE):
    """On the cpu backend the value is a sum in half precision."""

    def forward(self, k, logits, targets, run):
        value, saved = super().forward(k, logits, targets, run)
        if k.backend.name == "cpu":
            value[...] = np.float16(value)
        return value, saved


class MSEForgetsSetting(MSE):
    """repr leaves the reduction out."""

    def __repr__(self):
        return f"{type(self).__name__}()"


LOSSES = [loss for loss in MSE.__subclasses__() + Huber.__subclasses__() if loss.__module__ == __name__]
