"""The targets by name: what `scratchnet export --to` takes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from scratchnet.core.layer import require

from .errors import ExportError

if TYPE_CHECKING:
    from scratchnet.core.network import Network

    from .about import Fact

SUFFIXES = {"python": ".py", "c": ".c", "lean": ".lean", "onnx": ".onnx", "safetensors": ".safetensors"}
"""Each target, and how its files end."""


def write(net: Network, to: str, path: str | Path, *, facts: Mapping[str, Fact] | None = None, **options: Any) -> None:
    """Write a network to a file in the form of a target.

    Args:
        to: one of SUFFIXES.
        facts: what is known of the training.
        options: the target's own: style and with_backward of python.

    Raises:
        ConfigError: there is no such target.
        ExportError: the target cannot express the network, lacks a package, or the file cannot be written.
    """
    require(to in SUFFIXES, "there is no such target", expected=", ".join(SUFFIXES), actual=repr(to))
    getattr(import_module("scratchnet.export"), to)(net, path, facts=facts, **options)


def trial(net: Network, path: str | Path) -> None:
    """Find out before the training that `write` to this path would fail after it. Leaves no trace.

    Raises what `write` raises.
    """
    path = Path(path)
    try:
        with TemporaryDirectory(prefix=".trial", dir=path.parent) as folder:
            write(net, str(target_of(path)), Path(folder) / path.name)
    except OSError as error:
        raise ExportError("the file cannot be written", where=str(path), actual=error.strerror) from error


def target_of(path: str | Path) -> str | None:
    """The target whose files end like this one."""
    return next((to for to, suffix in SUFFIXES.items() if Path(path).suffix == suffix), None)
