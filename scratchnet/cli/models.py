"""A model out of any file that scratchnet writes: what it is, its network if it tells of one, its numbers, its hash."""

from __future__ import annotations

import json
import stat
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from scratchnet.checkpoint import Checkpoint, build
from scratchnet.checkpoint.architecture import shapes_of
from scratchnet.checkpoint.header import FORMAT
from scratchnet.checkpoint.kept import newest
from scratchnet.core.errors import ScratchnetError
from scratchnet.core.network import Network
from scratchnet.core.types import Array
from scratchnet.export.about import About, Fact, arrays_of, facts_from
from scratchnet.export.errors import ExportError
from scratchnet.export.held import Held
from scratchnet.export.safetensors_file.files import NAMES


@dataclass(frozen=True)
class Model:
    """What a file holds.

    Attributes:
        kind: in words.
        path: the file.
        facts: of the training.
        told: the metadata as `label: value` lines.
        network: with the file's numbers; None where the file does not describe it.
        arrays: parameters and buffers by name.
        verified: whether its hash is that of its numbers; None where it has none.
    """

    kind: str
    path: Path
    facts: Mapping[str, Fact]
    told: tuple[str, ...]
    network: Network | None
    arrays: Mapping[str, Array]
    verified: bool | None


def checkpoint_of(path: Path) -> Checkpoint:
    """The checkpoint in a file, or the newest whole one of a folder. Raises CheckpointError."""
    if not path.is_dir():
        return Checkpoint.read(path)
    with warnings.catch_warnings(record=True) as passed_over:
        try:
            return newest(path)
        finally:  # for a person, without the line of our code that warns
            for warning in passed_over:
                click.echo(f"warning: {warning.message}", err=True)


def open_model(path: str | Path) -> Model:
    """Read whatever it is.

    Raises:
        CheckpointError, ExportError: it is none of what scratchnet writes, or damaged.
    """
    path = Path(path)
    if path.is_dir() or _is_checkpoint(path):
        return _of_checkpoint(checkpoint_of(path))
    read = READERS.get(path.suffix)
    if read is None:
        raise ExportError(
            "no kind of file that scratchnet writes",
            where=str(path),
            expected=f"a folder of checkpoints, or a name that ends in {', '.join(READERS)}",
        )
    return read(path)


def _is_checkpoint(path: Path) -> bool:
    """Whether the metadata, which come first in the file, name the format."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for its other end
            raise ExportError("no file", where=str(path), actual="a pipe or a device")
        with path.open("rb") as file:
            return FORMAT.encode() in file.read(200)
    except OSError as error:
        raise ExportError("the file cannot be read", where=str(path), actual=error.strerror) from error


def _of_checkpoint(checkpoint: Checkpoint) -> Model:
    """Its hashes were held against its arrays when it was read."""
    net, at = checkpoint.network("reference"), checkpoint.at
    told = (*About.of(net, checkpoint.facts).lines, f"stands at: epoch {at.epoch}, batch {at.batch}, step {at.step}")
    return Model("a checkpoint", checkpoint.path, checkpoint.facts, told, net, arrays_of(net), True)


def _of_python(path: Path) -> Model:
    from scratchnet.export.python_source import load_source

    loaded = load_source(path, backend="reference")
    told = tuple(About.of(loaded.network, loaded.facts).lines)
    arrays = arrays_of(loaded.network)
    return Model("a network as Python source", path, loaded.facts, told, loaded.network, arrays, loaded.verified)


def _held(kind: str, reader: str) -> Callable[[Path], Model]:
    """By a reader that gives what the file holds."""

    def read(path: Path) -> Model:
        found: Held = getattr(import_module("scratchnet.export"), reader)(path)
        told = tuple(
            f"{label}: {text}" for label, text in found.metadata.items() if label not in ("architecture", NAMES)
        )
        facts = facts_from(found.metadata)
        if NAMES in found.metadata:
            facts.pop("format", None)  # PyTorch's mark, no fact of the training
        return Model(kind, path, facts, told, _network_of(found), found.arrays, found.verified)

    return read


def _network_of(held: Held) -> Network | None:
    """The network that the file tells of, with its numbers; None where it tells of none, or of another one."""
    try:
        description = json.loads(held.metadata["architecture"])
        names = json.loads(held.metadata.get(NAMES, "{}"))  # ours by PyTorch's
        arrays = {names.get(name, name): array for name, array in held.arrays.items()}
        ties = description["ties"]
        arrays |= {name: arrays[target] for name, target in ties.items() if name not in arrays}
        if any(arrays[name].shape != shape for name, shape in shapes_of(description).items()):
            return None  # before memory is taken for what a stranger's file says
        net = build(description, backend="reference")
        for store in (net.parameters, net.buffers):
            store.load({name: arrays[name] for name in store.views})
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError, ScratchnetError):
        return None
    return net


READERS: dict[str, Callable[[Path], Model]] = {
    ".py": _of_python,
    ".c": _held("a network as C source", "read_c"),
    ".lean": _held("a network as Lean source", "read_lean"),
    ".onnx": _held("a network as an ONNX model", "read_onnx"),
    ".safetensors": _held("arrays in a safetensors file", "read_safetensors"),
}
"""By the end of the file's name. A checkpoint is known by its content."""
