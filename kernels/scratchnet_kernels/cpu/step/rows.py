"""Dense layers on a batch of one sample: products of a matrix and a row, bound by reading W.

y is summed in another order than by the layers' kernels, so it differs from theirs by rounding; dx, W and b do not.
What is 0 in x need not be read in W; 0·∞ is kept in mind.

They are inlined into the step, where the sizes I and O are constants: a tail whose length is known costs next to
nothing, one that is not a quarter of the time.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..dense import ONE, ZERO, input_part
from ..simd import lanes, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vsum, vzero


@njit(cache=True)
def blocks(x: Any, found: Any) -> Any:
    """Where the registers of x begin that are not all 0, into `found`; returns how many there are.

    A NaN is not 0. What is behind the last whole register is none of them.
    """
    L, count = lanes(x), 0
    for i in range(0, x.size - L + 1, L):
        some = False
        for j in range(i, i + L):
            some |= x[j] != 0
        found[count] = i
        count += some
    return count


@njit(cache=True)
def every(x: Any, found: Any) -> Any:
    """Where all registers of x begin."""
    L = lanes(x)
    for j in range(x.size // L):
        found[j] = j * L
    return x.size // L


@njit(cache=True, forceinline=True)
def _four(x: Any, found: Any, count: Any, W: Any, w: Any, I: Any, y: Any, o: Any) -> None:  # noqa: E741
    """y[o : o+4] += Σ x W[o : o+4]: four sums at a time, for one would wait for itself."""
    L = lanes(x)
    s0 = s1 = s2 = s3 = vzero(x)
    for j in range(count):
        i = found[j]
        v = vload(x, i)
        s0 = vfma(v, vload(W, w + i), s0)
        s1 = vfma(v, vload(W, w + I + i), s1)
        s2 = vfma(v, vload(W, w + 2 * I + i), s2)
        s3 = vfma(v, vload(W, w + 3 * I + i), s3)
    i = I // L * L
    m = I - i
    if m > 0:
        v = vload_n(x, i, m)
        s0 = vfma(v, vload_n(W, w + i, m), s0)
        s1 = vfma(v, vload_n(W, w + I + i, m), s1)
        s2 = vfma(v, vload_n(W, w + 2 * I + i, m), s2)
        s3 = vfma(v, vload_n(W, w + 3 * I + i, m), s3)
    y[o] += vsum(s0)
    y[o + 1] += vsum(s1)
    y[o + 2] += vsum(s2)
    y[o + 3] += vsum(s3)


@njit(cache=True, forceinline=True)
def _one(x: Any, W: Any, w: Any, I: Any, y: Any, o: Any) -> None:  # noqa: E741
    """y[o] += Σ x W[o]."""
    L = lanes(x)
    s = vzero(x)
    for i in range(0, I, L):
        m = min(L, I - i)
        s = vfma(vload_n(x, i, m), vload_n(W, w + i, m), s)
    y[o] += vsum(s)


@njit(cache=True, forceinline=True)
def dense_row(x: Any, W: Any, b: Any, y: Any, numbers: Any, found: Any, I: Any, O: Any) -> None:  # noqa: E741
    """y = x Wᵀ + b for x (1, I), W (O, I), y (1, O).

    Where x is 0 (pictures mostly are), W is not read, as long as `numbers[0]` says that all of W is finite.
    """
    x, W, y = x.reshape(-1), W.reshape(-1), y.reshape(-1)
    for o in range(O):
        y[o] = b[o] if b.size > 0 else 0
    count = blocks(x, found) if numbers[0] == 1 else every(x, found)
    for o in range(0, O - 3, 4):
        _four(x, found, count, W, o * I, I, y, o)
    for o in range(O // 4 * 4, O):
        _one(x, W, o * I, I, y, o)


@njit(cache=True)
def finite(x: Any) -> bool:
    """Whether no element is infinite or NaN: 0·x is 0 then."""
    x = x.reshape(-1)
    L = lanes(x)
    s = zero = vzero(x)
    for i in range(0, x.size, L):
        s = vfma(vload_n(x, i, min(L, x.size - i)), zero, s)
    return bool(vsum(s) == 0)


@njit(cache=True, forceinline=True)
def _descend(x: Any, dy: Any, W: Any, b: Any, rate: Any, numbers: Any, found: Any, I: Any, O: Any) -> None:  # noqa: E741
    """W += rate·(dyᵀ x), b += rate·dy, each product rounded as the layers round it; rate[0] = -lr.

    Where x or dy is 0 (behind a ReLU half of the rows are) W stays as it is and is not touched, unless 0·x or 0·dy is
    no 0. `numbers[0]` becomes 0 where W no longer is finite.
    """
    L = lanes(x)
    all_finite, zero, r = finite(x), vzero(x), vbroadcast(rate, ZERO)
    count, lost = blocks(x, found), vzero(x)
    for o in range(O):
        if dy[o] == 0 and all_finite:
            continue
        if b.size > 0:
            b[o] += rate[0] * dy[o]
        d, w = vbroadcast(dy, o), o * I
        sparse = dy[o] * 0 == 0
        for j in range(count if sparse else I // L):
            i = found[j] if sparse else j * L
            g = vfma(d, vload(x, i), zero)
            new = vadd(vload(W, w + i), vfma(r, g, zero))
            lost = vfma(new, zero, lost)
            vstore(W, w + i, new)
        i = I // L * L
        m = I - i
        if m > 0:
            g = vfma(d, vload_n(x, i, m), zero)
            new = vadd(vload_n(W, w + i, m), vfma(r, g, zero))
            lost = vfma(new, zero, lost)
            vstore_n(W, w + i, new, m)
    if vsum(lost) != 0:
        numbers[0] = 0


@njit(cache=True, forceinline=True)
def descend_row(x: Any, W: Any, b: Any, dy: Any, dx: Any, lr: Any, numbers: Any, found: Any,
                rows: Any, I: Any, O: Any) -> None:  # noqa: E741  # fmt: skip
    """dx = dy W, then W -= lr·dyᵀ x and b -= lr·dy, for x (1, I), dy (1, O). numbers (2,): W is finite; scratch."""
    if dx.size > 0:
        input_part(ZERO, ONE, W.reshape(-1), dy.reshape(-1), dx.reshape(-1), rows[-2 * O : -O], rows[-O:], ONE, I, O)
    numbers[1] = -lr
    _descend(x.reshape(-1), dy.reshape(-1), W.reshape(-1), b, numbers[1:], numbers, found, I, O)
