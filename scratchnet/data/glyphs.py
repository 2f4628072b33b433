"""How digits are written: for each digit several styles, each a few strokes, each stroke a chain of points.

A digit fills a square of 100 by 100, x to the right, y down. A style reads `- x,y x,y ...` for straight lines from
point to point, `~ x,y x,y ...` for a smooth curve through the points, `o x,y rx,ry` for an ellipse around a point;
`|` lifts the pen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Chain = np.ndarray[Any, Any]  # (points, 2), in unit squares
POINTS = 24  # of a curve or an ellipse

STYLES: dict[int, tuple[str, ...]] = {
    0: (
        "o 50,50 30,45",
        "o 50,50 22,45",
        "~ 62,10 40,8 20,45 35,90 65,88 80,45 60,12 40,14",
    ),
    1: (
        "- 50,5 50,95",
        "- 33,25 53,5 53,95",
        "- 38,20 52,5 52,95 | - 34,95 70,95",
    ),
    2: (
        "~ 20,27 34,8 62,6 76,26 62,54 20,93 | - 20,93 82,93",
        "~ 22,20 45,5 72,18 66,48 38,82 20,90 26,76 50,84 85,92",
        "~ 18,12 50,3 75,20 60,52 20,90 | ~ 20,90 40,84 60,94 84,86",
    ),
    3: (
        "~ 22,16 46,4 74,18 64,42 42,48 | ~ 42,48 70,52 80,74 56,95 20,86",
        "- 22,7 75,7 44,42 | ~ 44,42 74,48 78,78 52,95 20,86",
        "~ 25,10 60,4 70,26 38,46 46,50 76,62 66,90 40,96 20,84",
    ),
    4: (
        "- 30,6 20,54 80,54 | - 70,10 64,95",
        "- 62,95 62,5 14,66 86,66",
        "~ 26,8 20,42 36,56 66,46 | - 74,6 66,50 60,95",
    ),
    5: (
        "- 78,7 30,7 26,45 | ~ 26,45 50,37 77,56 66,87 40,95 20,85",
        "~ 32,10 28,42 54,44 74,66 56,93 20,90 | - 32,10 82,6",
        "~ 84,6 42,10 34,40 62,56 66,82 44,96 18,86",
    ),
    6: (
        "~ 66,5 36,26 23,62 34,90 62,93 76,70 58,50 34,58 25,72",
        "- 60,4 28,60 | o 50,70 25,24",
        "~ 40,5 26,40 24,76 42,95 70,86 68,62 46,58 28,74",
    ),
    7: (
        "- 18,8 80,8 42,95",
        "- 20,8 78,8 46,95 | - 34,50 78,50",
        "~ 18,20 24,10 50,14 80,8 | ~ 80,8 62,40 50,70 48,95",
    ),
    8: (
        "o 50,28 22,22 | o 50,73 27,23",
        "~ 72,16 50,5 28,20 46,46 72,70 50,95 28,74 50,48 74,24 72,12",
        "~ 60,6 34,16 36,36 68,64 60,92 36,90 32,68 62,40 70,18 56,5",
    ),
    9: (
        "o 48,30 25,24 | - 73,28 66,95",
        "o 48,30 25,24 | ~ 73,28 74,60 66,90 42,95 26,86",
        "~ 70,20 50,5 27,26 36,46 60,42 74,16 | - 74,16 62,60 52,95",
    ),
}


def strokes(style: str) -> list[Chain]:
    """The chains of a style."""
    make = {"-": lambda points: points, "~": _curve, "o": _ellipse}
    chains = []
    for stroke in style.split("|"):
        kind, *pairs = stroke.split()
        points = np.array([[float(number) / 100 for number in pair.split(",")] for pair in pairs])
        chains.append(make[kind](points))
    return chains


def _curve(points: Chain) -> Chain:
    """A spline: (k, 2) -> (POINTS, 2). E. Catmull, R. Rom, "A class of local interpolating splines", 1974."""
    knots = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, len(points) - 1, POINTS)
    i = np.minimum(t.astype(int), len(points) - 2)
    u = (t - i)[:, None]
    a, b, c, d = knots[i], knots[i + 1], knots[i + 2], knots[i + 3]
    chain: Chain = b + u * ((c - a) / 2 + u * ((2 * a - 5 * b + 4 * c - d) / 2 + u * (3 * (b - c) + d - a) / 2))
    return chain


def _ellipse(points: Chain) -> Chain:
    """Centre and half axes (2, 2) -> (POINTS, 2)."""
    angle = np.linspace(0, 2 * math.pi, POINTS)
    chain: Chain = points[0] + points[1] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return chain
