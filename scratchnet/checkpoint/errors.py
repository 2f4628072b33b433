"""Errors of writing and reading checkpoints."""

from __future__ import annotations

from scratchnet.core.errors import ScratchnetError


class CheckpointError(ScratchnetError, ValueError):
    """A checkpoint cannot be written, found or read, or belongs to another model."""


class DamagedError(CheckpointError):
    """A file is no whole checkpoint: truncated, altered, or of another kind."""
