"""Writing an exported file."""

from __future__ import annotations

from pathlib import Path

from scratchnet.data.files import replacing

from .errors import ExportError


def save(content: bytes, path: str | Path) -> None:
    """Write a file in one step: what was there stays until the new one is whole.

    Raises:
        ExportError: where it cannot be written.
    """
    try:
        with replacing(Path(path)) as file:
            file.write(content)
    except OSError as error:
        raise ExportError("the file cannot be written", where=str(path), actual=error.strerror) from None
