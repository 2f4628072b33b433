"""Pictures in a terminal: two pixels a character, in shades of grey where there are colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.style import Style
from rich.text import Text

Array = np.ndarray[Any, Any]

GAP = 2  # columns between pictures
RAMP = " .:-=+*#%@"  # shades of plain characters, from empty to full
HALVES = " ▀▄█"  # neither pixel, the upper, the lower, both
INK = 0.35  # how dark a pixel must be to show where there is only ink or none
FAINT = 0.15  # how dark one must be to count as part of the picture: noise around it is not


def prepare(images: Array, width: int) -> Array:
    """Pictures of [0, 1], cut to what is drawn in them, then halved until one fits into `width` columns.

    All keep one scale and one extent, that of the largest; a smaller one stands in the middle.

    images: uint8 or float (n, H, W) -> float (n, h, w).
    """
    top = float(images.max(initial=0)) or 1.0
    shades = images.astype(np.float64) / top
    seen: Array = np.asarray(shades > FAINT)
    if seen.any():
        (top_rows, h), (left_columns, w) = _spans(np.any(seen, 2)), _spans(np.any(seen, 1))
        places = zip(shades, top_rows, left_columns, strict=True)
        shades = np.stack([picture[i : i + h, j : j + w] for picture, i, j in places])  # (n, H, W) -> (n, h, w)
    shades = _even(shades)
    while shades.shape[2] > max(width, 8):
        n, h, w = shades.shape
        shades = _even(shades.reshape(n, h // 2, 2, w // 2, 2).mean((2, 4)))  # (n, h, w) -> (n, h/2, w/2)
    return shades


def draw(shades: Array, console: Console) -> Text:
    """One picture (h, w) of [0, 1] as h/2 lines of w characters, in the best way that the console has."""
    upper, lower = shades[0::2], shades[1::2]  # (h, w) -> (h/2, w)
    text = Text(no_wrap=True, overflow="crop")
    for number, (above, below) in enumerate(zip(upper, lower, strict=True)):
        text.append("\n" if number else "")
        if console.options.ascii_only:
            levels = np.rint((above + below) / 2 * (len(RAMP) - 1)).astype(int)
            text.append("".join(RAMP[level] for level in levels))
        elif console.color_system is None or console.no_color:
            text.append("".join(HALVES[index] for index in (above > INK) + 2 * (below > INK)))
        else:
            for a, b in zip(above, below, strict=True):
                text.append("▀", Style.parse(f"{_grey(a)} on {_grey(b)}"))
    return text


def _grey(shade: float) -> str:
    level = round(255 * shade)
    return f"rgb({level},{level},{level})"


def _spans(seen: Array) -> tuple[list[int], int]:
    """Along an axis (n, E): where a window of one common size must begin to hold all that is seen, and that size."""
    extent = seen.shape[1]
    found = [(int(at.min()), int(at.max()) + 1) if (at := np.flatnonzero(one)).size else (0, 0) for one in seen]
    size = max(stop - start for start, stop in found)
    return [min(max((start + stop - size) // 2, 0), extent - size) for start, stop in found], size


def _even(shades: Array) -> Array:
    """With a line or a column of nothing where the number of lines or columns is odd."""
    return np.pad(shades, ((0, 0), (0, shades.shape[1] % 2), (0, shades.shape[2] % 2)))
