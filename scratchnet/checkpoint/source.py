"""Layers from their source text, `repr(layer)`, without running it: an allowed name is looked up, nothing is evaluated.

    layer_from_source("Conv2d(8, 3, padding='same', init=HeNormal(gain=1.0))")

The text is first held against the few tokens that such a source has, with bounds on its length, its depth and its
numbers, so that Python's parser never meets a text that could exhaust it.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.core import initializers
from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import LAYERS, Layer

from .errors import CheckpointError

LONGEST = 1 << 20
"""Characters of a layer's source. A stack of a hundred attention blocks has some ten thousand."""

DEEPEST = 60
"""Brackets inside brackets. A composite adds one or two."""

TOKEN = re.compile(
    r"""(?P<name>[A-Za-z_][A-Za-z_0-9]*) | (?P<number>\d{1,40}(?:\.\d{0,40})?(?:e[+-]?\d{1,3})?) |
    (?P<text>'[A-Za-z_0-9]{0,40}') | (?P<mark>[()\[\],=-]) | (?P<gap>[ ]+)""",
    re.VERBOSE,
)
"""What a source is made of: names, decimal numbers, plain words in quotes, and brackets."""

INITIALIZERS: dict[str, Callable[..., Any]] = {
    name: kind
    for name, kind in vars(initializers).items()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__module__ == initializers.__name__
}


def layer_from_source(text: str) -> Layer:
    """The layer that a source makes. Names are those of layers that are imported, and of initialisers.

    Raises:
        CheckpointError: the text is no such source.
        ConfigError: the layer refuses its settings.
    """
    _check_tokens(text)
    try:
        made = _value(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise _refused(text, f"{error.msg}, column {error.offset}") from None
    except CheckpointError as error:
        error.where = short(text)
        raise
    if not isinstance(made, Layer):
        raise _refused(text, f"a {type(made).__name__}")
    return made


def _check_tokens(text: str) -> None:
    """Refuse what no layer's source holds. What is left is short, shallow, and of calls and literals only."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise CheckpointError(
            "no source of a layer", expected=f"a text of at most {LONGEST:,} characters", actual=short(text)
        )
    at, depth, kinds = 0, 0, [""]
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise _refused(text, f"{text[at]!r}, character {at + 1}")
        at, token = found.end(), found.group()
        depth += (token in "([") - (token in ")]")
        if depth > DEEPEST:
            raise _refused(text, f"brackets more than {DEEPEST} deep")
        kinds += [] if found.lastgroup == "gap" else [token if found.lastgroup == "mark" else str(found.lastgroup)]
    for pair in pairwise(kinds):
        if pair[0] in ("name", "number", "text", "-") and pair[1] in ("name", "text", pair[0]):
            raise _refused(text, f"{pair[0]} before {pair[1]}")


def _value(node: ast.expr) -> Any:
    """What the expression stands for."""
    match node:
        case ast.Constant(value=value) if value is None or type(value) in (bool, int, float, str):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Tuple(elts=parts):
            return tuple(map(_value, parts))
        case ast.List(elts=parts):
            return list(map(_value, parts))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=settings):
            given = {str(setting.arg): _value(setting.value) for setting in settings}
            if len(given) == len(settings):  # Python's parser lets a name stand twice
                return _call(name, [_value(arg) for arg in args], given)
    raise CheckpointError("no source of a layer", expected="calls and literals", actual=ast.unparse(node)[:80])


def _call(name: str, args: list[Any], settings: dict[str, Any]) -> Any:
    kind = LAYERS.get(name) or INITIALIZERS.get(name)
    if kind is None:
        raise CheckpointError(
            f"there is no layer {name}",
            hint="import the file that defines it first" if name.isidentifier() else None,
        )
    try:
        return kind(*args, **settings)
    except ScratchnetError:
        raise
    except Exception as error:  # whatever a constructor makes of settings that nobody wrote
        raise CheckpointError(f"{name} does not take these settings", actual=f"{error}") from error


def _refused(text: str, actual: str) -> CheckpointError:
    expected = "a call of a layer with literals, as repr(layer) writes it"
    return CheckpointError("no source of a layer", where=short(text), expected=expected, actual=actual)


def short(text: object) -> str:
    """At most 100 characters of what was found, for a message."""
    shown = repr(text[:80] if isinstance(text, str) else text)[:100]
    return shown if not isinstance(text, str) or len(text) <= 80 else f"{shown}… ({len(text):,} characters)"
