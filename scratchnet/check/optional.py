"""What is said where a package is missing that only some of the checks need."""

from __future__ import annotations

from scratchnet.core.errors import ScratchnetError


class MissingPackageError(ScratchnetError, ImportError):
    """A package is not installed that belongs to one of scratchnet's extras. The message names the extra."""


def missing(what: str, package: str, extra: str) -> MissingPackageError:
    """The error that says which extra brings the package."""
    return MissingPackageError(
        f"{what} needs {package}, which is not installed",
        hint=f"pip install {package} (the extra scratchnet[{extra}] brings it too)",
    )
