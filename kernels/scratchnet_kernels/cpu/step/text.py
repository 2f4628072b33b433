"""Lines of source as a formatter would leave them."""

from __future__ import annotations

WIDTH = 120


def indented(lines: list[str], indent: int) -> list[str]:
    """The lines, further in, and broken anew."""
    return [piece for line in lines for piece in (wrapped(" " * indent + line) if line else [""])]


def wrapped(line: str) -> list[str]:
    """A line as a formatter would leave it: a call that is too wide has its arguments on lines of their own."""
    text = line.lstrip()
    space = " " * (len(line) - len(text))
    if len(space + text) <= WIDTH or text.startswith("#"):
        return [space + text]
    if "(" not in text:  # a tuple, packed or unpacked
        left, right = text.split(" = ")
        unpacked = ", " in left
        names = [f"{space}    {name}," for name in (left if unpacked else right).split(", ")]
        before, after = ("(", f") = {right}") if unpacked else (f"{left} = (", ")")
        return [space + before, *names, space + after]
    opening, closing = text.index("("), text.rindex(")")
    inner = text[opening + 1 : closing]
    lines = [f"{space}    {inner}"]
    if len(lines[0]) > WIDTH:
        lines = [f"{space}    {argument}," for argument in _arguments(inner)]
    return [space + text[: opening + 1], *lines, space + text[closing:]]


def _arguments(text: str) -> list[str]:
    """Split at the commas that lie in no parentheses."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]


def wrapped_import(module: str, names: list[str]) -> list[str]:
    """An import, a name a line where it is too wide."""
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= WIDTH else [f"from {module} import (", *[f"    {name}," for name in names], ")"]
