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


def prepare(images: Array, width: int) -> Array:
    """Pictures of [0, 1], without the border that is empty in all of them, halved until one fits into `width` columns.

    images: uint8 or float (n, H, W) -> float (n, h, w).
    """
    top = float(images.max(initial=0)) or 1.0
    shades = images.astype(np.float64) / top
    rows, columns = np.flatnonzero(shades.any((0, 2))), np.flatnonzero(shades.any((0, 1)))
    if rows.size and columns.size:
        shades = shades[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
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


def _even(shades: Array) -> Array:
    """With a line or a column of nothing where the number of lines or columns is odd."""
    return np.pad(shades, ((0, 0), (0, shades.shape[1] % 2), (0, shades.shape[2] % 2)))
