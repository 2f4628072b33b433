"""Deliberately broken layers over sequences and images, entered like those in broken.py."""

import numpy as np

from scratchnet.core import Case
from scratchnet.layers import GRU, LSTM, ConvTranspose2d, MultiHeadAttention, PositionalEmbedding, QueryMemory

from .broken import broken


class Table:
    """An op table with some of its ops replaced."""

    def __init__(self, k, **replaced):
        self.__dict__.update(replaced, k=k)

    def __getattr__(self, name):
        return getattr(self.k, name)


@broken
class AttentionScaleForgotten(MultiHeadAttention):
    """1/√d is missing in dQ."""

    def backward(self, k, p, g, saved, dy, run):
        def wrong(q, keys, v, P, dO, dq, dk, dv):
            k.attention_backward(q, keys, v, P, dO, dq, dk, dv)
            dq *= np.sqrt(q.shape[3])

        return super().backward(Table(k, attention_backward=wrong), p, g, saved, dy, run)


@broken
class AttentionSwaps(MultiHeadAttention):
    """dK and dQ change places."""

    def backward(self, k, p, g, saved, dy, run):
        def wrong(q, keys, v, P, dO, dq, dk, dv):
            k.attention_backward(q, keys, v, P, dO, dk, dq, dv)

        return super().backward(Table(k, attention_backward=wrong), p, g, saved, dy, run)


@broken
class AttentionRowSumForgotten(MultiHeadAttention):
    """dS is P·dP: the softmax's backward without its Σ dP·P."""

    def backward(self, k, p, g, saved, dy, run):
        def wrong(q, keys, v, P, dO, dq, dk, dv):
            k.attention_backward(q, keys, v, P, dO, dq, dk, dv)
            dS = P * (dO @ v.swapaxes(2, 3)) / np.sqrt(q.shape[3])
            dq[...], dk[...] = dS @ keys, dS.swapaxes(2, 3) @ q

        return super().backward(Table(k, attention_backward=wrong), p, g, saved, dy, run)


@broken
class AttentionBlindIsNaN(MultiHeadAttention):
    """A query that sees no key gets 0/0."""

    def forward(self, k, p, x, run):
        def wrong(q, keys, v, mask, y, P, causal):
            k.attention(q, keys, v, mask, y, P, causal)
            y[~P.any(3)] = np.nan

        return super().forward(Table(k, attention=wrong), p, x, run)


class Cross(MultiHeadAttention):
    """Cross-attention alone, between sequences of one length, where more mistakes keep the shapes right."""

    @classmethod
    def cases(cls, draw):
        heads, T = draw.integer(1, 2), draw.integer(2, 4)
        shape = (T, heads * draw.integer(1, 2))
        return Case(cls(heads), in_shape=QueryMemory(shape, shape), masks=draw.one_of({}, {"mask": (T,)}))


@broken
class CrossSwaps(Cross, AttentionSwaps):
    """dK and dQ change places: the query gets the memory's gradient through them."""


@broken
class CrossDropsMemory(Cross):
    """The memory is taken for a constant."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None:
            dx.memory.fill(0)
        return dx


@broken
class CrossExchangesLeaves(Cross):
    """dx is (dmemory, dquery)."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return dx if dx is None else QueryMemory(*dx[::-1])


@broken
class CrossForgetsMemorysWeights(Cross):
    """Only Q's rows of W and b are trained."""

    def backward(self, k, p, g, saved, dy, run):
        before = {name: view.copy() for name, view in g.items()}
        dx = super().backward(k, p, g, saved, dy, run)
        for name in ("in_proj.W", "in_proj.b"):
            g[name][dy.shape[2] :] = before[name][dy.shape[2] :]
        return dx


@broken
class ConvTransposeFlips(ConvTranspose2d):
    """dx with the window turned round."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None:
            k.conv2d(dy, p["W"][:, :, ::-1, ::-1], None, dx, *self._settings())
        return dx


@broken
class PositionsOfOneSample(PositionalEmbedding):
    """dP of the first sample alone."""

    def backward(self, k, p, g, saved, dy, run):
        super().backward(k, p, g, saved, dy[:1], run)
        return dy if run.need_dx else None


def instead(run, array, wrong):
    """`wrong` in memory from `run`, for what was saved as `array`."""
    copy = run.empty(array.shape, array.dtype)
    copy[...] = wrong
    return copy


@broken
class LSTMGateOrder(LSTM):
    """The backward takes the gates in the order i, g, f, o."""

    def backward(self, k, p, g, saved, dy, run):
        i, f, c, o = np.split(saved.gates, 4, axis=2)
        gates = instead(run, saved.gates, np.concatenate([i, c, f, o], axis=2))
        return super().backward(k, p, g, saved._replace(gates=gates), dy, run)


@broken
class LSTMStateOfThisStep(LSTM):
    """dW_hh is a product with h[t] for h[t-1]."""

    def backward(self, k, p, g, saved, dy, run):
        h = instead(run, saved.h, np.roll(saved.h, 1 if self.reverse else -1, axis=1))
        return super().backward(k, p, g, saved._replace(h=h), dy, run)


@broken
class LSTMDropsCell(LSTM):
    """The backward differentiates c = i·g: no gradient reaches the cell before, nor the forget gate."""

    def backward(self, k, p, g, saved, dy, run):
        gates = instead(run, saved.gates, saved.gates)
        gates[:, :, self.hidden : 2 * self.hidden] = 0
        return super().backward(k, p, g, saved._replace(gates=gates), dy, run)


@broken
class GRUResetsFirst(GRU):
    """The gradient of the hidden bias as if the reset gate came before the hidden product."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if self.bias:
            g["b_hh"][2 * self.hidden :] = g["b_ih"][2 * self.hidden :]
        return dx
