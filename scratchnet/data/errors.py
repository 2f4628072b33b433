"""Errors of reading, finding and serving data."""

from __future__ import annotations

from scratchnet_kernels.errors import ScratchnetError


class DataError(ScratchnetError, ValueError):
    """A file or an array is not what it should be: wrong format, truncated, corrupt, or out of range."""


class UnavailableError(DataError):
    """A data set was found in none of its places and could not be downloaded."""
