"""What an exported file holds, for whoever looks into one; of none of it anything is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scratchnet.core.types import Array


class Held(NamedTuple):
    """What was read.

    metadata: texts by label, "architecture" among them where the file tells of it; arrays by name; verified: whether
    the file's hash is that of the arrays, None where it has none.
    """

    metadata: Mapping[str, str]
    arrays: Mapping[str, Array]
    verified: bool | None
