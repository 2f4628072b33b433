"""What exporting refuses."""

from __future__ import annotations

from scratchnet_kernels import ScratchnetError


class ExportError(ScratchnetError, ValueError):
    """A network that the target cannot express, or a file that cannot be written or read back."""
