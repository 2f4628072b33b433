"""What a parsed Lean file computes: its terms, evaluated with NumPy's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.export.lean_source.grammar import Module
from scratchnet.export.lean_source.terms import Term

OPERATORS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    ">": np.greater,
    "<=": np.less_equal,
    "==": np.equal,
}


class Run:
    """A module to call."""

    def __init__(self, module: Module, dtype: Any) -> None:
        self.module, self.number = module, np.dtype(dtype).type
        kind = {"float32": "Float32", "float64": "Float"}[np.dtype(dtype).name]
        self.known = {f"{kind}.{name}": getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "abs")}

    def call(self, name: str, *arguments: Any) -> Any:
        """A def of the file."""
        definition = self.module.definitions[name]
        names = [parameter for parameter, _ in definition.parameters]
        return self.value(definition.term, dict(zip(names, arguments, strict=True)))

    def value(self, term: Term, scope: Mapping[str, Any]) -> Any:
        """Of a term, with what its names mean."""
        parts = term.parts
        if term.kind == "number":
            return self.number(float(term.text))
        if term.kind == "numbers":
            return [self.number(number) for number in term.numbers]
        if term.kind == "array":
            return [self.value(part, scope) for part in parts]
        if term.kind == "structure":
            return {part.text: self.value(part.parts[0], scope) for part in parts}
        if term.kind == "let":
            return self.value(parts[1], {**scope, term.text: self.value(parts[0], scope)})
        if term.kind == "if":
            return self.value(parts[1 if self.value(parts[0], scope) else 2], scope)
        if term.kind == "fun":
            return lambda *given: self.value(parts[-1], {**scope, **bound(parts[:-1], given)})
        if term.kind == "negated":
            return -self.value(parts[0], scope)
        if term.kind == "field":
            return self.method(self.value(parts[0], scope), term.text)
        if term.kind == "call":
            return self.value(parts[0], scope)(*(self.value(part, scope) for part in parts[1:]))
        if term.kind == "name":
            return self.named(term.text, scope)
        return OPERATORS[term.kind](*(self.value(part, scope) for part in parts))

    def named(self, name: str, scope: Mapping[str, Any]) -> Any:
        """A parameter, a def, a function of Lean's, or a field of one of these."""
        if name in self.known:
            return self.known[name]
        first, *fields = name.split(".")
        if first in scope:
            found, kind = scope[first], None
        else:
            definition = self.module.definitions[first]
            if definition.parameters:
                return lambda *given: self.call(first, *given)
            found, kind = self.value(definition.term, {}), definition.type
        for field in fields:
            if isinstance(found, dict) and field in found:
                found, kind = found[field], self.module.structures.get(kind or "", {}).get(field)
            elif isinstance(found, dict):
                here, owner = found, kind
                found = lambda *given: self.call(f"{owner}.{field}", here, *given)  # noqa: B023, E731
            else:
                found = self.method(found, field)
        return found

    def method(self, x: Any, name: str) -> Any:
        """A function of Lean's arrays."""
        methods = {
            "zip": lambda other: list(zip(x, other, strict=True)),
            "map": lambda function: [function(v) for v in x],
            "foldl": lambda function, start: fold(function, start, x),
            "getD": lambda at, other: x[int(at)] if int(at) < len(x) else other,
            "findIdx": lambda function: next((at for at, v in enumerate(x) if function(v)), len(x)),
        }
        return x if name == "toList" else methods[name]


def bound(patterns: tuple[Term, ...], given: tuple[Any, ...]) -> dict[str, Any]:
    """What the names of patterns are."""
    found: dict[str, Any] = {}
    for pattern, value in zip(patterns, given, strict=True):
        if pattern.kind == "name":
            found[pattern.text] = value
        else:
            found |= dict(zip((part.text for part in pattern.parts), value, strict=True))
    return found


def fold(function: Any, start: Any, x: Any) -> Any:
    """From the left."""
    for v in x:
        start = function(start, v)
    return start
