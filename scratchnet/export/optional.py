"""What is said where a package is missing that only one target needs."""

from __future__ import annotations

from .errors import ExportError


class MissingPackageError(ExportError, ImportError):
    """A package is not installed that belongs to one of scratchnet's extras. The message names the extra."""


def missing(target: str, package: str) -> MissingPackageError:
    """The error for a target whose extra is called as its package."""
    return MissingPackageError(
        f"{target} needs {package}, which is not installed",
        hint=f"pip install {package} (the extra scratchnet[{package}] brings it too)",
    )
