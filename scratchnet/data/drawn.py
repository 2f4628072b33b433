"""Drawn digits: 28x28 pictures made from strokes, for use without a network. They are not MNIST.

Every style of `glyphs` is written in several hands (its points jittered, its curves bent). For each hand the distance
of every point of a fine grid to the nearest stroke is tabled once. A picture looks that table up through a random
affine map (slant, rotation, scale, shift) and a smooth random displacement, inks what lies within half a pen's width,
and adds noise. The elastic displacement follows P. Simard, D. Steinkraus, J. Platt, "Best practices for
convolutional neural networks applied to visual document analysis", ICDAR 2003, on a coarse grid.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import numpy as np

from .errors import DataError
from .glyphs import STYLES, strokes

Array = np.ndarray[Any, Any]

SIDE = 28  # pixels
GLYPH = 19.5  # pixels: the unit square of a glyph, before scaling
HANDS = 12  # ways of writing each style
FINE = 112  # cells on a side of a distance table
MARGIN = 0.35  # of the unit square, around it, that a table covers
CHUNK = 500  # pictures made at a time: a few megabytes
KNOTS = 5  # on a side of the coarse displacement grid

JITTER = 0.03  # standard deviation of a stroke point, in unit squares
SLANT = 0.24  # pixels of x per pixel of y
ROTATION = 0.16  # radians
STRETCH = 0.12
SHIFT = 0.85  # pixels
ELASTIC = 0.95  # pixels
PEN = (1.5, 3.4)  # pixels: thinnest and thickest
NOISE = 12.0  # grey levels


def drawn(n: int, *, seed: int = 0, name: str = "train") -> tuple[Array, Array]:
    """`n` pictures uint8 (n, 28, 28), ink 255 on 0, and their digits int64 (n,).

    Picture i depends on (seed, name, i) alone, so fewer pictures are the first of more.

    Raises DataError unless n >= 1 and seed >= 0.
    """
    if n < 1 or seed < 0:
        raise DataError("digits cannot be drawn", expected="n >= 1, seed >= 0", actual=f"n={n}, seed={seed}")
    images, labels = np.empty((n, SIDE, SIDE), np.uint8), np.empty(n, np.int64)
    for start in range(0, n, CHUNK):
        rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode()), start]))
        digits, pictures = _chunk(rng)
        stop = min(start + CHUNK, n)
        images[start:stop], labels[start:stop] = pictures[: stop - start], digits[: stop - start]
    return images, labels


def _chunk(rng: np.random.Generator) -> tuple[Array, Array]:
    """CHUNK digits and their pictures."""
    digits = rng.permutation(np.arange(CHUNK) % len(STYLES))  # exactly balanced within a chunk
    first, count, table = _tables()
    hand = first[digits] + (rng.random(CHUNK) * count[digits]).astype(np.int64)
    x, y = _warp(rng)  # (CHUNK, 784) each, in cells of the table
    np.clip(x, 0, FINE - 1, out=x)
    np.clip(y, 0, FINE - 1, out=y)
    cell = y.astype(np.int32)
    cell *= FINE
    cell += x.astype(np.int32)
    cell += (hand * (FINE * FINE)).astype(np.int32)[:, None]
    ink = table.take(cell)  # distance to the nearest stroke, in pixels of an unscaled glyph
    pen = rng.uniform(*PEN, (CHUNK, 1)).astype(np.float32)
    level = rng.uniform(210, 255, (CHUNK, 1)).astype(np.float32)
    np.subtract(pen / 2 + np.float32(0.5), ink, out=ink)  # an edge one pixel wide
    np.clip(ink, 0, 1, out=ink)
    ink *= level
    noise = rng.standard_normal(ink.shape, np.float32)
    noise *= np.float32(NOISE) * (np.float32(0.04) + ink * np.float32(1 / 255))  # paper is cleaner than ink
    ink += noise
    np.clip(ink, 0, 255, out=ink)
    return digits, ink.astype(np.uint8).reshape(CHUNK, SIDE, SIDE)  # (CHUNK, 784) -> (CHUNK, 28, 28)


def _warp(rng: np.random.Generator) -> tuple[Array, Array]:
    """Where each pixel of each picture looks in its table: x and y (CHUNK, 784), in cells."""
    angle, slant = rng.normal(0, ROTATION, CHUNK), rng.normal(0.05, SLANT, CHUNK)
    sx, sy = rng.uniform(1 - STRETCH, 1 + STRETCH, (2, CHUNK))
    cos, sin = np.cos(angle), np.sin(angle)
    zoom = FINE / (1 + 2 * MARGIN) / GLYPH  # cells per pixel
    m = np.array([[cos / sx, sin / sx + slant], [-sin / sy, cos / sy]]) * zoom  # (2, 2, CHUNK)
    center = rng.normal(0, SHIFT, (2, CHUNK))
    basis = _basis()
    bend = rng.normal(0, ELASTIC * zoom, (2, CHUNK, KNOTS * KNOTS)).astype(np.float32)
    out = []
    for axis in range(2):
        offset = FINE / 2 - m[axis, 0] * center[0] - m[axis, 1] * center[1]
        plane = np.stack([m[axis, 0], m[axis, 1], offset], 1).astype(np.float32)  # (CHUNK, 3)
        out.append(np.concatenate([bend[axis], plane], 1) @ basis)  # (CHUNK, 28) @ (28, 784) -> (CHUNK, 784)
    return out[0], out[1]


@cache
def _basis() -> Array:
    """(KNOTS*KNOTS + 3, 784): what one knot's displacement does to every pixel, then x, y and 1."""
    at = np.linspace(0, KNOTS - 1, SIDE)
    bump = np.exp(-0.5 * ((at[None] - np.arange(KNOTS)[:, None]) / 0.6) ** 2)  # (KNOTS, 28)
    bump /= np.sqrt((bump**2).sum(0))  # unit variance at every pixel
    grid = np.einsum("ay,bx->abyx", bump, bump).reshape(KNOTS * KNOTS, SIDE * SIDE)
    pixel = np.arange(SIDE) - (SIDE - 1) / 2
    y, x = np.meshgrid(pixel, pixel, indexing="ij")
    return np.concatenate([grid, [x.ravel(), y.ravel(), np.ones(SIDE * SIDE)]]).astype(np.float32)


@cache
def _tables() -> tuple[Array, Array, Array]:
    """First table and number of tables by digit, and the tables (hands, FINE, FINE): distances in pixels."""
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(b"hands")))
    center = (np.arange(FINE) + 0.5) / FINE * (1 + 2 * MARGIN) - MARGIN
    tables: list[Array] = []
    counts = []
    for digit in range(len(STYLES)):
        for style in STYLES[digit]:
            tables += [_distance(chains, center) for chains in _hands(strokes(style), rng)]
        counts.append(len(STYLES[digit]) * HANDS)
    count = np.array(counts)
    return np.cumsum(count) - count, count, np.stack(tables)


def _hands(style: list[Array], rng: np.random.Generator) -> list[list[Array]]:
    """HANDS ways of writing a style: a smooth bend of the plane, and each stroke a little out of place."""
    hands = []
    for _ in range(HANDS):
        wave, phase = rng.normal(0, 1.6, (2, 2)), rng.uniform(0, 6.283, (2, 1))
        size = rng.normal(0, JITTER, 2)
        bent = [chain + size * np.sin(chain @ wave + phase.T) for chain in style]
        hands.append([chain + rng.normal(0, JITTER / 2, 2) for chain in bent])
    return hands


def _distance(chains: list[Array], center: Array) -> Array:
    """Distance of every cell centre to the nearest segment, in pixels of an unscaled glyph: (FINE, FINE)."""
    a = np.concatenate([chain[:-1] for chain in chains]).astype(np.float32)  # (segments, 2)
    d = np.concatenate([np.diff(chain, axis=0) for chain in chains]).astype(np.float32)
    length = np.maximum((d * d).sum(1), np.float32(1e-12))
    x, y = center.astype(np.float32), center.astype(np.float32)[:, None]
    best = np.full((FINE, FINE), np.inf, np.float32)
    for (ax, ay), (dx, dy), squared in zip(a, d, length, strict=True):
        px, py = x - ax, y - ay  # (FINE,), (FINE, 1)
        t = np.clip((px * dx + py * dy) / squared, 0, 1)  # (FINE, FINE): the nearest point of the segment
        np.minimum(best, (px - t * dx) ** 2 + (py - t * dy) ** 2, out=best)
    return np.sqrt(best) * np.float32(GLYPH)
