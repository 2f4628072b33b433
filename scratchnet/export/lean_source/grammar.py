"""The part of Lean 4's grammar that exported files use: tokens, and a parser by recursive descent. No more is taken.

No Lean was at hand to compile these files with; that they parse by this grammar is what is known of them. It follows
Lean where the exporter could go wrong unseen: the argument of a function must stand further right than the `let` that
it belongs to, `x -1` is a difference, a comment may hold no other.

    file    := "/-!" text "-/" "namespace" name definition* "end" name
    definition := comment? ("structure" name "where" (name ":" type)+ | "def" name binder* ":" type ":=" term)
    binder  := "(" name+ ":" type ")"
    type    := name | "Array" (name | "(" type ")")
    term    := "let" name ":=" term term | "if" term "then" term "else" term | "fun" pattern+ "=>" term | compared
    pattern := name | "(" name ("," name)+ ")" | binder
    compared := sum ((">" | "<=" | "==") sum)?;  sum := product (("+" | "-") product)*
    product := signed (("*" | "/") signed)*;     signed := "-" signed | applied;     applied := atom atom*
    atom    := number | name | "(" term ")" ("." name)? | "#[" term,* "]" | "{" (name ":=" term),+ "}"
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .terms import Term, Terms


@dataclass(frozen=True)
class Definition:
    """A def: its comment, parameters with their types, type and term."""

    comment: str
    parameters: tuple[tuple[str, str], ...]
    type: str
    term: Term


@dataclass
class Module:
    """A file: the comment at its top, structures with their fields' types, and defs; by name, in order."""

    comment: str
    structures: dict[str, dict[str, str]] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)


def parse(text: str) -> Module:
    """A file by the grammar.

    Raises:
        ExportError: for anything else.
    """
    return _Modules(text).module()


class _Modules(Terms):
    """A reader of files."""

    def module(self) -> Module:
        found = Module(_inner(self.take("module")))
        self.expect("namespace")
        name = self.take("name")
        while self.ahead.text != "end":
            comment = _inner(self.take("comment")) if self.ahead.kind == "comment" else ""
            self.margin = self.ahead.column
            if self.found("structure"):
                self._structure(found)
            else:
                self.expect("def")
                self._definition(found, comment)
        self.expect("end")
        if self.take("name") != name or self.ahead.kind != "end":
            raise self.refuse(f"end {name}, and the end of the file")
        return found

    def _structure(self, module: Module) -> None:
        name = self._new(module)
        self.expect("where")
        fields = module.structures.setdefault(name, {})
        while self.ahead.kind == "name":
            field_name = self.take("name")
            self.expect(":")
            fields[field_name] = self.type()
        if not fields:
            raise self.refuse("a field")

    def _definition(self, module: Module, comment: str) -> None:
        name = self._new(module)
        parameters: list[tuple[str, str]] = []
        while self.found("("):
            parameters += self.binder([self.take("name")])
        self.expect(":")
        kind = self.type()
        self.expect(":=")
        module.definitions[name] = Definition(comment, tuple(parameters), kind, self.term())

    def _new(self, module: Module) -> str:
        name = self.take("name")
        if name in module.structures or name in module.definitions:
            raise self.refuse(f"another name than {name}, which there is")
        return name


def _inner(comment: str) -> str:
    return comment[3:-2].strip()
