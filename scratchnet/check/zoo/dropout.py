"""Dropout: masks and scales that are not the forward's."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def dropout_forward(x: Array, keep: float, seed: int) -> tuple[Array, Any]:
    """out = x·mask/keep, mask drawn from seed."""
    mask = np.random.default_rng(seed).random(x.shape) < keep
    return x * mask / keep, (mask, keep, seed)


_FRESH = np.random.default_rng(0)


def dropout_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·mask/keep."""
    mask, keep, seed = cache
    if wrong == "new mask":
        mask = _FRESH.random(mask.shape) < keep
    elif wrong == "next mask":
        mask = np.random.default_rng(seed + 1).random(mask.shape) < keep
    elif wrong == "no mask":
        mask = np.ones(mask.shape)
    elif wrong == "scale missing":
        keep = 1.0
    elif wrong == "drop rate for keep rate":
        keep = 1 - keep
    return (dout * mask if wrong == "scale missing" else dout * mask / keep,)


SPECIES = (
    Species(
        "dropout", dropout_forward, dropout_backward,
        lambda rng: {"x": rng.normal(size=(5, 7)), "keep": 0.6, "seed": int(rng.integers(1000))},
        (
            bug(dropout_backward, "new mask", "x", "state left over, mask", "every backward draws a mask of its own",
                "thuml/Xlearn issue #12; Benny-Nottonson/voodoo issue #19 (a backward that is random)"),
            bug(dropout_backward, "next mask", "x", "mask", "the backward's mask is not the forward's"),
            bug(dropout_backward, "no mask", "x", "mask", "dropped units get a gradient",
                "ddbourgin/numpy-ml issue #94 (the mask is not applied in the backward)"),
            bug(dropout_backward, "scale missing", "x", "constant factor", "dout·mask, not divided by keep",
                "rohitg00/ai-engineering-from-scratch pull request #17 (units miss the 1/(1 − p))"),
            bug(dropout_backward, "drop rate for keep rate", "x", "constant factor", "divided by 1 − keep"),
        ),
    ),
)  # fmt: skip
