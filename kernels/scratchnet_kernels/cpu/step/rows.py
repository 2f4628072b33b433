"""Dense layers on a batch of one sample: products of a matrix and a row, bound by reading W.

y and dx are summed in another order than by the layers' kernels, so they differ from theirs by rounding; what is done
to W and b does not.

They are inlined into the step, where the sizes I and O are constants: a tail whose length is known costs next to
nothing, one that is not a quarter of the time.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from .._dots import BLOCK
from ..dense import ZERO, finite
from ..simd import lanes, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vsum, vzero


@njit(cache=True, forceinline=True)
def _four(x: Any, k: Any, W: Any, w: Any, I: Any, K: Any, y: Any, o: Any) -> None:  # noqa: E741
    """y[o : o+4] += Σ x[k : k+K] W[o : o+4, k : k+K]: four sums at a time, for one would wait for itself."""
    L = lanes(x)
    s0 = s1 = s2 = s3 = vzero(x)
    for i in range(0, K - L + 1, L):
        v = vload(x, k + i)
        s0 = vfma(v, vload(W, w + i), s0)
        s1 = vfma(v, vload(W, w + I + i), s1)
        s2 = vfma(v, vload(W, w + 2 * I + i), s2)
        s3 = vfma(v, vload(W, w + 3 * I + i), s3)
    i = K // L * L
    m = K - i
    if m > 0:
        v = vload_n(x, k + i, m)
        s0 = vfma(v, vload_n(W, w + i, m), s0)
        s1 = vfma(v, vload_n(W, w + I + i, m), s1)
        s2 = vfma(v, vload_n(W, w + 2 * I + i, m), s2)
        s3 = vfma(v, vload_n(W, w + 3 * I + i, m), s3)
    y[o] += vsum(s0)
    y[o + 1] += vsum(s1)
    y[o + 2] += vsum(s2)
    y[o + 3] += vsum(s3)


@njit(cache=True, forceinline=True)
def _one(x: Any, k: Any, W: Any, w: Any, K: Any, y: Any, o: Any) -> None:
    """y[o] += Σ x[k : k+K] W[o, k : k+K]."""
    L = lanes(x)
    s = vzero(x)
    for i in range(0, K, L):
        m = min(L, K - i)
        s = vfma(vload_n(x, k + i, m), vload_n(W, w + i, m), s)
    y[o] += vsum(s)


@njit(cache=True, forceinline=True)
def dense_row(x: Any, W: Any, b: Any, y: Any, I: Any, O: Any) -> None:  # noqa: E741
    """y = x Wᵀ + b for x (1, I), W (O, I), y (1, O)."""
    x, W, y = x.reshape(-1), W.reshape(-1), y.reshape(-1)
    for o in range(O):
        y[o] = b[o] if b.size > 0 else 0
    for k in range(0, I, BLOCK):
        K = min(BLOCK, I - k)
        for o in range(0, O - 3, 4):
            _four(x, k, W, o * I + k, I, K, y, o)
        for o in range(O // 4 * 4, O):
            _one(x, k, W, o * I + k, K, y, o)


@njit(cache=True)
def add_rows(x: Any, found: Any, count: Any, W: Any, y: Any) -> None:
    """y += Σ x[i] W[i] over the rows i = found[:count] of W, which are as long as y."""
    O, L, o = y.size, lanes(y), 0  # noqa: E741
    while o + 4 * L <= O:  # four registers of sums
        s0, s1, s2, s3 = vload(y, o), vload(y, o + L), vload(y, o + 2 * L), vload(y, o + 3 * L)
        for j in range(count):
            i = found[j]
            v, w = vbroadcast(x, i), i * O + o
            s0 = vfma(v, vload(W, w), s0)
            s1 = vfma(v, vload(W, w + L), s1)
            s2 = vfma(v, vload(W, w + 2 * L), s2)
            s3 = vfma(v, vload(W, w + 3 * L), s3)
        vstore(y, o, s0)
        vstore(y, o + L, s1)
        vstore(y, o + 2 * L, s2)
        vstore(y, o + 3 * L, s3)
        o += 4 * L
    while o < O:
        m = min(L, O - o)
        s = vload_n(y, o, m)
        for j in range(count):
            i = found[j]
            s = vfma(vbroadcast(x, i), vload_n(W, i * O + o, m), s)
        vstore_n(y, o, s, m)
        o += m


@njit(cache=True, forceinline=True)
def _descend(x: Any, dy: Any, W: Any, b: Any, rate: Any, I: Any, O: Any) -> None:  # noqa: E741
    """W += rate·(dyᵀ x), b += rate·dy, each product rounded as the layers round it; rate[0] = -lr.

    A row whose dy is 0 (behind a ReLU half of them are) stays as it is and is not touched, unless 0·x is no 0.
    """
    L = lanes(x)
    all_finite, zero, r = finite(x), vzero(x), vbroadcast(rate, ZERO)
    for o in range(O):
        if dy[o] == 0 and all_finite:
            continue
        if b.size > 0:
            b[o] += rate[0] * dy[o]
        d, w = vbroadcast(dy, o), o * I
        for i in range(0, I - L + 1, L):
            g = vfma(d, vload(x, i), zero)
            vstore(W, w + i, vadd(vload(W, w + i), vfma(r, g, zero)))
        i = I // L * L
        m = I - i
        if m > 0:
            g = vfma(d, vload_n(x, i, m), zero)
            vstore_n(W, w + i, vadd(vload_n(W, w + i, m), vfma(r, g, zero)), m)


@njit(cache=True, forceinline=True)
def descend_row(x: Any, W: Any, b: Any, dy: Any, dx: Any, lr: Any, scratch: Any, every: Any, I: Any, O: Any) -> None:  # noqa: E741  # fmt: skip
    """dx = dy W, then W -= lr·dyᵀ x and b -= lr·dy, for x (1, I), dy (1, O). every: 0, 1, ..., O - 1."""
    if dx.size > 0:
        dx[:] = 0
        add_rows(dy.reshape(-1), every, O, W.reshape(-1), dx.reshape(-1))
    scratch[0] = -lr
    _descend(x.reshape(-1), dy.reshape(-1), W.reshape(-1), b, scratch, I, O)
