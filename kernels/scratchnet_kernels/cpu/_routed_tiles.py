"""The tiles of `_routed`: registers of one channel's kernel, over all positions that its dy is routed to.

    dW[o, kh, ·] += g · x[row + kh, column …]
    dx[row + kh, column …] += g · W[o, kh, ·]

`where` holds the positions in the bordered image, `grad` their g. `xs`, `dxs`, `w` and `s` are the places of the first
register in the images, in W and in the sums of dW; `length` and `pitch` lead to the next kernel row.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from .simd import rbroadcast, rlanes, rload, rzero, vadd, vfma, vstore


@njit(cache=True)
def _tile_3x3(x: Any, xs: int, dxs: int, W: Any, sums: Any, w: int, s: int, length: int, pitch: int,
              where: Any, grad: Any, first: int, last: int, need_dx: bool) -> None:  # fmt: skip
    """Three kernel rows by three registers, over the routed positions first ≤ i < last."""
    L = rlanes(x)
    s00, s01, s02 = rload(sums, s), rload(sums, s + L), rload(sums, s + 2 * L)
    s10, s11, s12 = rload(sums, s + length), rload(sums, s + length + L), rload(sums, s + length + 2 * L)
    s20, s21, s22 = rload(sums, s + 2 * length), rload(sums, s + 2 * length + L), rload(sums, s + 2 * length + 2 * L)
    if need_dx:
        w00, w01, w02 = rload(W, w), rload(W, w + L), rload(W, w + 2 * L)
        w10, w11, w12 = rload(W, w + length), rload(W, w + length + L), rload(W, w + length + 2 * L)
        w20, w21, w22 = rload(W, w + 2 * length), rload(W, w + 2 * length + L), rload(W, w + 2 * length + 2 * L)
        for i in range(first, last):
            g = rbroadcast(grad, i)
            a = xs + where[i]
            c = dxs + where[i]
            s00 = vfma(g, rload(x, a), s00)
            vstore(x, c, vfma(g, w00, rload(x, c)))
            s01 = vfma(g, rload(x, a + L), s01)
            vstore(x, c + L, vfma(g, w01, rload(x, c + L)))
            s02 = vfma(g, rload(x, a + 2 * L), s02)
            vstore(x, c + 2 * L, vfma(g, w02, rload(x, c + 2 * L)))
            a += pitch
            c += pitch
            s10 = vfma(g, rload(x, a), s10)
            vstore(x, c, vfma(g, w10, rload(x, c)))
            s11 = vfma(g, rload(x, a + L), s11)
            vstore(x, c + L, vfma(g, w11, rload(x, c + L)))
            s12 = vfma(g, rload(x, a + 2 * L), s12)
            vstore(x, c + 2 * L, vfma(g, w12, rload(x, c + 2 * L)))
            a += pitch
            c += pitch
            s20 = vfma(g, rload(x, a), s20)
            vstore(x, c, vfma(g, w20, rload(x, c)))
            s21 = vfma(g, rload(x, a + L), s21)
            vstore(x, c + L, vfma(g, w21, rload(x, c + L)))
            s22 = vfma(g, rload(x, a + 2 * L), s22)
            vstore(x, c + 2 * L, vfma(g, w22, rload(x, c + 2 * L)))
    else:
        for i in range(first, last):
            g = rbroadcast(grad, i)
            a = xs + where[i]
            s00 = vfma(g, rload(x, a), s00)
            s01 = vfma(g, rload(x, a + L), s01)
            s02 = vfma(g, rload(x, a + 2 * L), s02)
            a += pitch
            s10 = vfma(g, rload(x, a), s10)
            s11 = vfma(g, rload(x, a + L), s11)
            s12 = vfma(g, rload(x, a + 2 * L), s12)
            a += pitch
            s20 = vfma(g, rload(x, a), s20)
            s21 = vfma(g, rload(x, a + L), s21)
            s22 = vfma(g, rload(x, a + 2 * L), s22)
    vstore(sums, s, s00)
    vstore(sums, s + L, s01)
    vstore(sums, s + 2 * L, s02)
    vstore(sums, s + length, s10)
    vstore(sums, s + length + L, s11)
    vstore(sums, s + length + 2 * L, s12)
    vstore(sums, s + 2 * length, s20)
    vstore(sums, s + 2 * length + L, s21)
    vstore(sums, s + 2 * length + 2 * L, s22)


@njit(cache=True)
def _tile_3x1(x: Any, xs: int, dxs: int, W: Any, sums: Any, w: int, s: int, length: int, pitch: int,
              where: Any, grad: Any, first: int, last: int, need_dx: bool) -> None:  # fmt: skip
    """Three kernel rows by one register. Two positions at a time, for a sum alone would wait for itself."""
    s0, s1, s2 = rload(sums, s), rload(sums, s + length), rload(sums, s + 2 * length)
    t0 = t1 = t2 = rzero(x)
    for i in range(first, last - 1, 2):
        g, h = rbroadcast(grad, i), rbroadcast(grad, i + 1)
        a, c = xs + where[i], xs + where[i + 1]
        s0 = vfma(g, rload(x, a), s0)
        t0 = vfma(h, rload(x, c), t0)
        s1 = vfma(g, rload(x, a + pitch), s1)
        t1 = vfma(h, rload(x, c + pitch), t1)
        s2 = vfma(g, rload(x, a + 2 * pitch), s2)
        t2 = vfma(h, rload(x, c + 2 * pitch), t2)
    if (last - first) % 2:
        g = rbroadcast(grad, last - 1)
        a = xs + where[last - 1]
        s0 = vfma(g, rload(x, a), s0)
        s1 = vfma(g, rload(x, a + pitch), s1)
        s2 = vfma(g, rload(x, a + 2 * pitch), s2)
    vstore(sums, s, vadd(s0, t0))
    vstore(sums, s + length, vadd(s1, t1))
    vstore(sums, s + 2 * length, vadd(s2, t2))
    if need_dx:
        w0, w1, w2 = rload(W, w), rload(W, w + length), rload(W, w + 2 * length)
        for i in range(first, last):
            g = rbroadcast(grad, i)
            c = dxs + where[i]
            vstore(x, c, vfma(g, w0, rload(x, c)))
            vstore(x, c + pitch, vfma(g, w1, rload(x, c + pitch)))
            vstore(x, c + 2 * pitch, vfma(g, w2, rload(x, c + 2 * pitch)))


@njit(cache=True)
def _tile_1x1(x: Any, xs: int, dxs: int, W: Any, sums: Any, w: int, s: int,
              where: Any, grad: Any, first: int, last: int, need_dx: bool) -> None:  # fmt: skip
    """One kernel row by one register: what the larger tiles leave over."""
    s0 = rload(sums, s)
    for i in range(first, last):
        s0 = vfma(rbroadcast(grad, i), rload(x, xs + where[i]), s0)
    vstore(sums, s, s0)
    if need_dx:
        w0 = rload(W, w)
        for i in range(first, last):
            c = dxs + where[i]
            vstore(x, c, vfma(rbroadcast(grad, i), w0, rload(x, c)))


@njit(cache=True)
def channel(x: Any, xs: int, dxs: int, W: Any, sums: Any, w: int, s: int, where: Any, grad: Any,
             first: int, last: int, need_dx: bool, g: Any) -> None:  # fmt: skip
    """Every tile of one output channel's kernel."""
    L = rlanes(x)
    kh = 0
    while kh < g.KH:
        a = kh * g.pitch
        k = kh * g.length
        v = 0
        if kh + 3 <= g.KH:
            while v + 3 * L <= g.length:
                _tile_3x3(x, xs + a + v, dxs + a + v, W, sums, w + k + v, s + k + v, g.length, g.pitch,
                          where, grad, first, last, need_dx)  # fmt: skip
                v += 3 * L
            while v < g.length:
                _tile_3x1(x, xs + a + v, dxs + a + v, W, sums, w + k + v, s + k + v, g.length, g.pitch,
                          where, grad, first, last, need_dx)  # fmt: skip
                v += L
            kh += 3
        else:
            while v < g.length:
                _tile_1x1(x, xs + a + v, dxs + a + v, W, sums, w + k + v, s + k + v,
                          where, grad, first, last, need_dx)  # fmt: skip
                v += L
            kh += 1
