"""Safetensors files: PyTorch's names and layouts, in both directions.

A file is held against its own length, and its names and shapes against the network's, before any array is read; what
is taken beside the arrays is the header, of 16 MiB at most. The network changes only if all of it fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.checkpoint.digest import digest
from scratchnet.checkpoint.errors import CheckpointError
from scratchnet.checkpoint.file import array_at, opened, write_arrays
from scratchnet.checkpoint.header import KINDS, Entries, layout_of
from scratchnet.core.types import Array, DType

from ..about import ENDS, Fact, metadata_of
from ..errors import ExportError
from ..held import Held
from .names import counts, torch_names

if TYPE_CHECKING:
    from scratchnet.core.network import Network

NAMES = "scratchnet.names"  # the metadata key of our names by PyTorch's, over which the hash is taken
BFLOAT16 = np.dtype([("upper half of a float32", "<u2")])  # NumPy has none
FLOATS = (*map(np.dtype, ("<f8", "<f4", "<f2")), BFLOAT16)


def safetensors(
    net: Network,
    path: str | Path,
    *,
    facts: Mapping[str, Fact] | None = None,
    modules: Mapping[str, str] | None = None,
) -> None:
    """Write parameters and buffers, so that `module.load_state_dict(load_file(path), strict=True)` takes them.

    The module is a torch.nn.Sequential of the same positions, or one whose parts `modules` names. Each array is
    written in C order, a tied one under each of its names. The same network and facts give the same bytes.

    Args:
        net: the network.
        path: where to write it; a file that is there is replaced in one step.
        facts: what is known of the training, for the metadata (see `scratchnet.export.about`).
        modules: {"0": "fc1"}: what PyTorch's module calls a layer, where that is not its position.

    Raises:
        ExportError: numbers that are not finite, names that do not fit, and a path that cannot be written.
    """
    names = torch_names(net, modules)
    _check_finite(net.views)
    arrays = {name: net.views[ours] for ours, name in names.items()}
    arrays |= {name: net.count[0].reshape(()) for name in counts(net, names)}
    told = metadata_of(net, facts) | {"format": "pt", NAMES: json.dumps({name: ours for ours, name in names.items()})}
    try:
        write_arrays(Path(path), arrays, told)
    except OSError as error:
        raise ExportError("the file cannot be written", where=str(path), actual=error.strerror) from error
    except CheckpointError as error:
        raise ExportError("the format has no word for an element type", actual=str(error)) from error


def load_safetensors(path: str | Path, net: Network, *, modules: Mapping[str, str] | None = None) -> bool:
    """Take over the numbers of a file, ours or a PyTorch state_dict of the same architecture.

    Floats of another width are cast. Nothing is changed unless all names, shapes, element types and numbers fit.

    Returns:
        Whether a hash in the file says that these are the numbers that scratchnet wrote. PyTorch's files have none.

    Raises:
        ExportError: a file that is no safetensors file, or of another architecture, or not as it was written.
    """
    path = Path(path)
    names = torch_names(net, modules)
    with _reading(path) as (file, entries, told, begin):
        _check_entries(path, entries, net, names)
        read = {ours: array_at(file, path, entries[name], begin) for ours, name in names.items() if name in entries}
    verified = _verified(path, told, {names[ours]: array for ours, array in read.items()}, refuse=True)
    arrays = {ours: _cast(array, net.dtype, path, names[ours]) for ours, array in read.items()}
    for name, target in net.parameters.ties.items():
        either = next(arrays[key] for key in (target, name) if key in arrays)
        if not np.array_equal(arrays.setdefault(name, either), arrays.setdefault(target, either)):
            raise ExportError("tied parameters differ", where=f"{path}: {names[name]}", expected=f"as {names[target]}")
    net.parameters.load({name: arrays[name] for name in net.parameters.views})
    net.buffers.load({name: arrays[name] for name in net.buffers.views})
    return verified


def read_safetensors(path: str | Path) -> Held:
    """What any safetensors file holds. Raises ExportError where it is none."""
    path = Path(path)
    with _reading(path) as (file, entries, told, begin):
        arrays = {name: array_at(file, path, entry, begin) for name, entry in entries.items()}
    verified = _verified(path, told, arrays, refuse=False) if ENDS[-1] in told else None
    return Held(told, {name: _widened(array) for name, array in arrays.items()}, verified)


@contextmanager
def _reading(path: Path) -> Iterator[tuple[Any, Entries, dict[str, str], int]]:
    """(file, entries, metadata, first byte of data); what a reader of checkpoints refuses is refused here too."""
    try:
        with opened(path) as file:
            entries, told, begin = layout_of(file, path, KINDS | {"BF16": BFLOAT16})
            told = {} if told is None else told
            if not isinstance(told, dict) or not all(isinstance(text, str) for text in told.values()):
                raise ExportError("metadata that are no texts", where=str(path))
            yield file, entries, told, begin
    except CheckpointError as error:
        raise ExportError(
            "no safetensors file that can be read", where=str(path), expected=error.expected, actual=error.actual
        ) from error


def _check_entries(path: Path, entries: Entries, net: Network, names: Mapping[str, str]) -> None:
    """Names, shapes and element types, by the header alone."""
    tied = {names[name] for pair in net.parameters.ties.items() for name in pair}
    ties = [(names[name], names[target]) for name, target in net.parameters.ties.items()]
    missing = [name for name in names.values() if name not in entries and name not in tied]
    missing += [name for name, target in ties if not {name, target} & entries.keys()]
    unknown = entries.keys() - set(names.values()) - set(counts(net, names))
    if missing or unknown:
        raise ExportError(
            "these are the arrays of another network",
            where=str(path),
            expected=_listed(names.values()),
            actual=f"missing: {_listed(missing)}; unknown: {_listed(sorted(unknown))}",
            hint='a module that names its parts: modules={"0": "fc1"}',
        )
    for ours, name in names.items():
        if name in entries:
            kind, shape = entries[name][:2]
            if shape != net.views[ours].shape:
                raise ExportError(
                    "wrong shape", where=f"{path}: {name}", expected=net.views[ours].shape, actual=str(shape)[:200]
                )
            if kind not in FLOATS:
                raise ExportError("no floats", where=f"{path}: {name}", expected="F64 | F32 | F16 | BF16", actual=kind)


def _cast(array: Array, dtype: DType, path: Path, name: str) -> Array:
    with np.errstate(over="ignore"):
        cast = _widened(array).astype(dtype)
    if not np.isfinite(cast).all():
        raise ExportError("a number is not finite", where=f"{path}: {name}", hint=f"as {dtype}")
    return cast


def _widened(array: Array) -> Array:
    """bfloat16, which is the upper half of a float32, as a float32."""
    if array.dtype != BFLOAT16:
        return array
    upper = array.view("<u2").reshape(array.shape)
    return (upper.astype("<u4") << 16).view("<f4")


def _verified(path: Path, told: Mapping[str, str], arrays: Mapping[str, Array], *, refuse: bool) -> bool:
    """Whether the hash is there and right. Where it is wrong, it is refused if so asked."""
    if ENDS[-1] not in told or NAMES not in told:
        return False
    try:
        names = json.loads(told[NAMES])
        right = digest({names[name]: array for name, array in arrays.items() if name in names}) == told[ENDS[-1]]
    except (ValueError, TypeError, KeyError, RecursionError):
        right = False
    if refuse and not right:
        raise ExportError("these are not the numbers that were written", where=str(path), expected="the hash in it")
    return right


def _check_finite(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ExportError("a number is not finite", where=name, hint="train anew, or keep it as a checkpoint")


def _listed(names: Any) -> str:
    """Names, not without end: they may be a stranger's."""
    text = ", ".join(map(str, names)) or "none"
    return text if len(text) <= 400 else text[:399] + "…"
