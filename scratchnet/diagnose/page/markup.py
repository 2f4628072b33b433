"""HTML that cannot be broken out of: every text becomes an element's or attribute's text here, and nowhere else.

Run files are written by others. A plain string is always escaped; only `tag` makes Markup, which is taken as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

LONGEST = 1000
"""Characters of a text that are shown: a run's file may hold a message of megabytes."""
VOID = ("meta",)
"""Elements of HTML that have no end."""
SHAPES = ("path", "line", "rect", "circle", "polygon", "use", "col")
"""Elements of SVG that may be closed at once."""
# control characters, lone surrogates, and what turns the direction of the text that follows
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
NUMBER = re.compile(r"(?<![\w.])[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w]|\.\w)")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def clean(text: object) -> str:
    """A text without what a page must not hold."""
    return UNFIT.sub("\ufffd", str(text))


def cut(text: str) -> str:
    """A text of a length that can be read."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def tag(name: str, /, *inside: Child, **attributes: object) -> Markup:
    """An element. Attributes: class_="a" is class, stroke_width is stroke-width; None and False leave one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    body = join(*inside)
    if name in VOID or (name in SHAPES and not body):
        return Markup(f"<{name}{given}{'' if name in VOID else '/'}>")
    return Markup(f"<{name}{given}>{body}</{name}>")


def join(*parts: Child) -> Markup:
    """Parts one after another; those that are not Markup are escaped."""
    return Markup("".join(_one(part) for part in parts))


def figures(text: str) -> Markup:
    """A sentence with its numbers set off, so that the eye finds them."""
    text, parts, end = cut(text), [], 0
    for match in NUMBER.finditer(text):
        parts += [text[end : match.start()], tag("b", match.group())]
        end = match.end()
    return join(*parts, text[end:])


def _one(part: Child) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return html.escape(clean(cut(part)))
    return join(*part)
