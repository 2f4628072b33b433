"""Terms and types of Lean 4, by recursive descent: see `grammar`."""

from __future__ import annotations

from array import array as growing
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .tokens import Reader


class Term(NamedTuple):
    """What a term is, its text, what it is made of, and the numbers of an array that begins with one.

    kind: number, name, numbers, array, structure and its values, field (of a term), call, let, if, fun, pattern,
        negated, or an operator.
    """

    kind: str
    text: str = ""
    parts: tuple[Term, ...] = ()
    numbers: Sequence[float] = ()


class Terms(Reader):
    """A reader of types, binders and terms."""

    def binder(self, names: list[str]) -> list[tuple[str, str]]:
        """The rest of `(a b : type)`, with the names that are read."""
        while self.ahead.kind == "name":
            names.append(self.take("name"))
        self.expect(":")
        kind = self.type()
        self.expect(")")
        return [(name, kind) for name in names]

    def type(self) -> str:
        """A type, as text."""
        name = self.take("name")
        if name != "Array":
            return name
        if not self.found("("):
            return f"Array {self.take('name')}"
        self.deeper()
        inner = self.type()
        self.depth -= 1
        self.expect(")")
        return f"Array ({inner})"

    def term(self) -> Term:
        """A term."""
        self.deeper()
        margin = self.margin
        if self.ahead.text == "let":
            term = self._let()
        elif self.found("if"):
            condition = self.term()
            self.expect("then")
            yes = self.term()
            self.expect("else")
            term = Term("if", "", (condition, yes, self.term()))
        elif self.found("fun"):
            patterns = [self._pattern()]
            while not self.found("=>"):
                patterns.append(self._pattern())
            term = Term("fun", "", (*patterns, self.term()))
        else:
            term = self._compared()
        self.margin = margin
        self.depth -= 1
        return term

    def _let(self) -> Term:
        column = self.margin = self.ahead.column
        self.expect("let")
        name = self.take("name")
        self.expect(":=")
        value = self.term()
        if self.ahead.column != column:
            raise self.refuse("the next line of the term, below its let")
        self.margin = 0
        return Term("let", name, (value, self.term()))

    def _pattern(self) -> Term:
        if not self.found("("):
            return Term("name", self.take("name"))
        names = [self.take("name")]
        if self.ahead.text == ",":
            while self.found(","):
                names.append(self.take("name"))
            self.expect(")")
            return Term("pattern", "", tuple(Term("name", name) for name in names))
        return Term("name", self.binder(names)[0][0])

    def _compared(self) -> Term:
        left = self._sum()
        operator = self.ahead.text
        if operator in (">", "<=", "=="):
            self.expect(operator)
            left = Term(operator, "", (left, self._sum()))
        return left

    def _sum(self) -> Term:
        left = self._product()
        while (operator := self.ahead.text) in ("+", "-") and self.ahead.kind == "symbol":
            self.expect(operator)
            left = Term(operator, "", (left, self._product()))
        return left

    def _product(self) -> Term:
        left = self._signed()
        while (operator := self.ahead.text) in ("*", "/") and self.ahead.kind == "symbol":
            self.expect(operator)
            left = Term(operator, "", (left, self._signed()))
        return left

    def _signed(self) -> Term:
        if self.found("-"):
            self.deeper()
            inner = self._signed()
            self.depth -= 1
            return Term("number", f"-{inner.text}") if inner.kind == "number" else Term("negated", "", (inner,))
        first = self._atom()
        arguments = []
        while self._begins_atom() and self.ahead.column > self.margin:
            arguments.append(self._atom())
        return Term("call", "", (first, *arguments)) if arguments else first

    def _begins_atom(self) -> bool:
        return self.ahead.kind in ("number", "name") or self.ahead.text in ("(", "#[", "{")

    def _atom(self) -> Term:
        if self.ahead.kind in ("number", "name"):
            return Term(self.ahead.kind, self.take(self.ahead.kind))
        if self.found("("):
            inner = self.term()
            self.expect(")")
            return Term("field", self.take("name"), (inner,)) if self.found(".") else inner
        if self.found("#["):
            if self.ahead.kind == "number" or self.ahead.text == "-":
                return Term("numbers", numbers=self._numbers())
            return Term("array", "", tuple(self._listed("]")))
        self.expect("{")
        fields: list[Term] = []
        while not fields or self.found(","):
            name = self.take("name")
            self.expect(":=")
            fields.append(Term("value", name, (self.term(),)))
        self.expect("}")
        return Term("structure", "", tuple(fields))

    def _numbers(self) -> Sequence[float]:
        """Numbers and nothing else, up to the bracket."""
        found = growing("d")
        while not found or self.found(","):
            sign = -1.0 if self.found("-") else 1.0
            found.append(sign * float(self.take("number")))
        self.expect("]")
        return found

    def _listed(self, end: str) -> Iterator[Term]:
        if not self.found(end):
            yield self.term()
            while self.found(","):
                yield self.term()
            self.expect(end)
