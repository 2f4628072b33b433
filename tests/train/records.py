"""Arbitrary records, drawn from what their dataclasses declare."""

import math
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from scratchnet.train.history.records import KINDS

SCALARS = {
    float: st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]),
    int: st.integers(),
    str: st.text(max_size=8) | st.sampled_from(["nan", "inf", "kind"]),
    bool: st.booleans(),
    NoneType: st.none(),
}


def values(kind):
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.fixed_dictionaries({each.name: values(hints[each.name]) for each in fields(kind)}).map(
            lambda held: kind(**held)
        )
    if kind in SCALARS:
        return SCALARS[kind]
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(st.text(max_size=5), values(inner[1]), max_size=2)
    return st.one_of(*map(values, inner))


def records():
    return st.sampled_from(sorted(KINDS)).flatmap(lambda name: values(KINDS[name]))


def same(a, b):
    """Equal, where NaN equals NaN: whatever is not finite has the same repr."""
    return type(a) is type(b) and repr(a) == repr(b)
