"""Tokens of Lean 4, one ahead, and what a parser does with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import ExportError

DEEPEST = 60  # of terms in each other
TOKEN = re.compile(
    r"(?P<space>[ \n]+)|(?P<module>/-!.*?-/)|(?P<comment>/--.*?-/)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]))"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<symbol>:=|=>|==|<=|\#\[|[][(){}:,.<>+*/-])",
    re.A | re.S,
)
KEYWORDS = {"def", "structure", "where", "namespace", "end", "let", "if", "then", "else", "fun"}


class Token(NamedTuple):
    """kind: "number", "name", "keyword", "symbol", "comment", "module" or "end"; its text, line and column."""

    kind: str
    text: str
    line: int
    column: int


def tokens(text: str) -> Iterator[Token]:
    """Without spaces. Raises ExportError for what is no token."""
    at, line, start = 0, 1, 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ExportError("no token of Lean", where=f"line {line}", actual=repr(text[at : at + 20]))
        kind, found = str(match.lastgroup), match[0]
        if kind in ("module", "comment") and "/-" in found[2:]:
            raise ExportError("a comment in a comment", where=f"line {line}")
        if kind != "space":
            yield Token("keyword" if found in KEYWORDS else kind, found, line, at - start)
        if breaks := found.count("\n"):
            line, start = line + breaks, at + found.rindex("\n") + 1
        at = match.end()
    yield Token("end", "", line, at - start)


class Reader:
    """The tokens of a text.

    Attributes:
        ahead: the next one.
        margin: arguments stand further right than this column.
        depth: of the term that is read.
    """

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self.ahead = next(self._tokens)
        self.depth = self.margin = 0

    def deeper(self) -> None:
        """A term in a term: not too many of them."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refuse(f"terms no deeper than {DEEPEST}")

    def found(self, text: str) -> bool:
        """Whether this is the next token, which is then taken."""
        if self.ahead.text != text or self.ahead.kind not in ("keyword", "symbol"):
            return False
        self.ahead = next(self._tokens)
        return True

    def expect(self, text: str) -> None:
        """This must be the next token, which is then taken."""
        if not self.found(text):
            raise self.refuse(repr(text))

    def take(self, kind: str) -> str:
        """The text of the next token, which must be of this kind."""
        if self.ahead.kind != kind:
            raise self.refuse(f"a {kind}")
        text = self.ahead.text
        self.ahead = next(self._tokens)
        return text

    def refuse(self, expected: str) -> ExportError:
        """The error that something else was expected here."""
        where = f"line {self.ahead.line}, column {self.ahead.column}"
        return ExportError(
            "not as the grammar has it", where=where, expected=expected, actual=repr(self.ahead.text[:40])
        )
