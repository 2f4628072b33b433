"""Whatever belongs to a run besides its network, as JSON and arrays: numbers, texts, lists, dicts, arrays, generators.

    packed, arrays = pack({"rng": rng, "plateau": plateau, "counts": counts})

What has `state_dict()` and `load_state_dict(state)` is kept by what the one gives to the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .errors import CheckpointError

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
"""Those of NumPy. Another one is the user's own, and no name in a file is looked up."""


def pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """The value as JSON can say it; its arrays are put into `arrays` under names that begin with `name`.

    Raises CheckpointError, which names the place, for what is neither plain nor has state_dict().
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return pack(value.item(), name, arrays) if value.dtype.kind in "biuf" else _refuse(value, name)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[name] = value.copy()
        return {"$array": name}
    if isinstance(value, list | tuple):
        return [pack(part, f"{name}.{i}", arrays) for i, part in enumerate(value)]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: pack(part, f"{name}.{key}", arrays) for key, part in value.items()}
        return _refuse(value, name)
    if isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        if state.get("bit_generator") in BIT_GENERATORS:
            return {"$generator": pack(state, name, arrays)}
        return _refuse(value, name)
    if hasattr(value, "state_dict") and hasattr(value, "load_state_dict"):
        return pack(value.state_dict(), name, arrays)
    return _refuse(value, name)


def unpack(packed: Any, arrays: Mapping[str, Array]) -> Any:
    """The inverse of `pack`: lists for tuples, and what state_dict() gave for what has it."""
    if isinstance(packed, list):
        return [unpack(part, arrays) for part in packed]
    if not isinstance(packed, dict):
        return packed
    match packed:
        case {"$float": str() as text}:
            return float(text)
        case {"$array": str() as name}:
            return arrays[name]
        case {"$generator": state}:
            return _generator(unpack(state, arrays))
    return {key: unpack(part, arrays) for key, part in packed.items()}


def load(given: Any, kept: Any, name: str) -> None:
    """Bring what is given to where it stood: a generator, or what has `load_state_dict`.

    Raises CheckpointError for anything else, whose value is in `Checkpoint.state`.
    """
    if isinstance(given, np.random.Generator) and isinstance(kept, np.random.Generator):
        try:
            given.bit_generator.state = kept.bit_generator.state
        except ValueError as error:  # it is one of another kind
            raise CheckpointError("another kind of generator", where=name, actual=str(error)) from error
    elif hasattr(given, "load_state_dict"):
        given.load_state_dict(kept)
    else:
        raise CheckpointError(
            "this cannot be brought to where it stood",
            where=name,
            expected="a NumPy Generator, or an object with load_state_dict",
            actual=type(given).__name__,
            hint=f'take its value yourself: checkpoint.state["{name}"]',
        )


def _generator(state: Any) -> np.random.Generator:
    kind = state["bit_generator"]
    if kind not in BIT_GENERATORS:
        raise ValueError(f"there is no bit generator {kind!r}")
    made = getattr(np.random, kind)()
    made.state = state
    return np.random.Generator(made)


def _refuse(value: object, name: str) -> Any:
    raise CheckpointError(
        "this cannot be kept",
        where=name,
        expected="numbers, texts, lists, dicts by text, arrays, generators of NumPy, or what has state_dict()",
        actual=f"{type(value).__name__}",
    )
