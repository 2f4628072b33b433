"""The exceptions of scratchnet. All of them are ScratchnetErrors and say what, where, expected, actual and a hint."""

from __future__ import annotations

from scratchnet_kernels.errors import BackendError, DtypeError, ScratchnetError, ShapeError

__all__ = ["BackendError", "ConfigError", "DtypeError", "ScratchnetError", "ShapeError", "TapeError", "TargetError"]


class ConfigError(ScratchnetError, ValueError):
    """A layer, loss, optimizer or network was given a setting that has no meaning."""


class TapeError(ScratchnetError, RuntimeError):
    """A tape was used twice, with another network, or after its parameters had changed."""


class TargetError(ScratchnetError, ValueError):
    """A loss was given targets that do not fit its logits."""
