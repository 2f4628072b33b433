"""The manifest of a checkpoint: everything that is no array, as JSON can say it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scratchnet.core.types import Array

from .checkpoint import Position
from .errors import CheckpointError
from .state import pack


def manifest(
    told: Mapping[str, Any],
    at: Position,
    metrics: Mapping[str, float],
    facts: Mapping[str, Any],
    kept: Mapping[str, Any],
    arrays: dict[str, Array],
) -> dict[str, Any]:
    """What is told of the run, and what is its state now, whose arrays are put into `arrays`.

    Raises CheckpointError for a fact that is not plain, and for what cannot be kept.
    """
    from scratchnet import __version__

    measured = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
    known: dict[str, Any] = {**facts, **measured, "epochs": at.epoch - 1, "steps": at.step}
    known.setdefault("ended", datetime.now(UTC).isoformat(timespec="seconds"))
    for name, value in known.items():
        if value is not None and not isinstance(value, str | int | float):
            expected = "a text, a number or None"
            raise CheckpointError("a fact is plain", where=name, expected=expected, actual=type(value).__name__)
    return {
        **told,
        "scratchnet": __version__,
        "at": list(at),
        "metrics": measured,
        "facts": known,
        "state": {name: pack(value, f"state.{name}", arrays) for name, value in kept.items()},
    }


def plain(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings as JSON can say them, without arrays. Raises CheckpointError where it cannot."""
    arrays: dict[str, Any] = {}
    plain: dict[str, Any] = pack(dict(settings or {}), "settings", arrays)
    if arrays:
        raise CheckpointError("a setting is plain", where=next(iter(arrays)), expected="no array", actual="an array")
    return plain
