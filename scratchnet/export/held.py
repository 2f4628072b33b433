"""What an exchange file holds, for whoever looks into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scratchnet.core.types import Array


class Held(NamedTuple):
    """metadata: texts by label; arrays by name; verified: whether a hash is there and is that of the arrays."""

    metadata: Mapping[str, str]
    arrays: Mapping[str, Array]
    verified: bool
