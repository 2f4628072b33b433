"""Records as JSON and back. What a record holds is read off its dataclass, here and nowhere else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from . import records
from .records import KINDS, Record

WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""What JSON has no number for."""

Complain = Callable[[str], None]
Reader = Callable[[Any, Complain], Any]
_NAMES = {kind: name for name, kind in KINDS.items()}


class Misfit(Exception):  # noqa: N818 (it never leaves the reader)
    """A value is not of the kind that its field has."""

    def __init__(self, expected: str, actual: Any) -> None:
        text = repr(actual)
        super().__init__(f"{text if len(text) <= 40 else text[:37] + '...'} is not {expected}")


def encode(record: Record) -> str:
    """The record as one line of JSON, without the line's end. Fields that say nothing are left out."""
    return json.dumps({"kind": _NAMES[type(record)], **plain(record)}, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """What JSON can say of a value: NumPy's numbers as Python's, one that is not finite as a word, the rest by repr."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and type(value).__module__ == records.__name__:
        held = {each.name: (getattr(value, each.name), _default(each)) for each in fields(value)}
        return {name: plain(it) for name, (it, other) in held.items() if type(it) is not type(other) or it != other}
    return repr(value)


def decode(value: Any, complain: Complain) -> Record:
    """The record that a line's JSON tells.

    A field that is not known or has another kind of value is left out and complained of. Raises Misfit where nothing
    is left: no such kind of record, or no key.
    """
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise Misfit("a kind of record", kind)
    holds: Any = KINDS[kind]
    record: Record = _reader(holds)({name: item for name, item in value.items() if name != "kind"}, complain)
    return record


def number(value: Any) -> float:
    """A float, also from its word or a whole number. Raises Misfit."""
    if isinstance(value, str) and value.lower() in WORDS:
        return WORDS[value.lower()]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise Misfit("a number", value)


def _default(each: Field[Any]) -> Any:
    """The field's default; the field itself, which equals nothing, where it has none."""
    if each.default_factory is not MISSING:
        return each.default_factory()
    return each if each.default is MISSING else each.default


def _scalar(kind: type, called: str) -> Reader:
    def read(value: Any, complain: Complain) -> Any:
        if type(value) is not kind:
            raise Misfit(called, value)
        return value

    return read


_SCALARS: dict[Any, Reader] = {
    float: lambda value, complain: number(value),
    int: _scalar(int, "a whole number"),
    str: _scalar(str, "a text"),
    bool: _scalar(bool, "true or false"),
}


@cache
def _reader(kind: Any) -> Reader:
    """What reads a value of this type."""
    if is_dataclass(kind):
        return _record(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    inner = [one for one in get_args(kind) if one not in (NoneType, Ellipsis)]
    one = _reader(inner[-1])  # of a dict the values
    if get_origin(kind) is UnionType:
        return lambda value, complain: None if value is None else one(value, complain)
    if get_origin(kind) is tuple:

        def read(value: Any, complain: Complain) -> Any:
            if not isinstance(value, list):
                raise Misfit("a list", value)
            return tuple([one(item, complain) for item in value])

    else:

        def read(value: Any, complain: Complain) -> Any:
            if not isinstance(value, dict):
                raise Misfit("an object", value)
            return {name: one(item, complain) for name, item in value.items()}

    return read


def _record(kind: Any) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    required = {each.name for each in fields(kind) if _default(each) is each}

    def read(value: Any, complain: Complain) -> Any:
        if not isinstance(value, dict):
            raise Misfit("an object", value)
        found = {}
        for name, item in value.items():
            if name not in readers:
                complain(f"{kind.__name__}.{name} is not known")
                continue
            try:
                found[name] = readers[name](item, complain)
            except Misfit as misfit:
                complain(f"{kind.__name__}.{name}: {misfit}")
        if not required <= found.keys():
            raise Misfit(f"enough for {kind.__name__}, which needs {', '.join(sorted(required))}", value)
        return kind(**found)

    return read
