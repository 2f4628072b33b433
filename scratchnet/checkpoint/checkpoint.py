"""A checkpoint: a network and all that belongs to its training, as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import whole
from scratchnet.core.network import Network
from scratchnet.core.types import Array

from .architecture import build, describe, shapes_of
from .errors import CheckpointError, DamagedError
from .file import read
from .source import short
from .state import load, unpack
from .training import put


class Position(NamedTuple):
    """Where a run stands: `batch` batches of epoch `epoch` are done, and `step` steps in all. Epochs count from 1."""

    epoch: int = 1
    batch: int = 0
    step: int = 0

    def next_batch(self) -> Position:
        """One step further."""
        return Position(self.epoch, self.batch + 1, self.step + 1)

    def next_epoch(self) -> Position:
        """At the start of the next epoch."""
        return Position(self.epoch + 1, 0, self.step)


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds, all hashes of which are right.

    Attributes:
        arrays: by name; parameters and buffers as the network calls them.
        manifest: the rest, as plain values.
        path: the file.
    """

    arrays: Mapping[str, Array]
    manifest: Mapping[str, Any]
    path: Path = field(default=Path())

    @classmethod
    def read(cls, path: str | Path) -> Checkpoint:
        """The checkpoint in a file. Raises CheckpointError, and DamagedError where the file is not what was written."""
        return cls(*read(path), Path(path))

    @property
    def at(self) -> Position:
        """Where the run stood."""
        return position(self.manifest, self.path)

    @property
    def facts(self) -> dict[str, str | int | float | None]:
        """What a person wants to know of the training: data, epochs, optimizer, accuracies, when it ended."""
        return dict(self._part("facts"))

    @property
    def metrics(self) -> dict[str, float]:
        """What was measured here, by name."""
        return dict(self._part("metrics"))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the run, as its loop gave them."""
        return dict(self._part("settings"))

    @property
    def state(self) -> dict[str, Any]:
        """What the loop kept besides the network, by name: for objects, what their state_dict() gave."""
        with _forged(self.path):
            return {name: unpack(packed, self.arrays) for name, packed in self._part("state").items()}

    def network(self, backend: str = "cpu") -> Network:
        """A network of its own, with its training as it was. Raises CheckpointError where the file tells of none."""
        description = self._part("architecture")
        with _forged(self.path):
            for name, shape in shapes_of(description).items():  # before memory for them is taken
                held = self.arrays.get(description.get("ties", {}).get(name, name))
                if held is None or held.shape != shape:
                    actual = None if held is None else held.shape
                    raise DamagedError("an array is not the network's", where=name, expected=shape, actual=actual)
            net = build(description, backend=backend)
            put(net, self.arrays, self._part("training"))
        return net

    def restore(self, net: Network, **kept: Any) -> Position:
        """Bring a network, and what else is given by name, to where they were; return where the run stood.

        Args:
            net: one of the same architecture and seed.
            kept: what the loop kept: generators, and objects with load_state_dict, under the names they had.

        Raises:
            CheckpointError: the network is another one, or something was not kept; nothing has changed then.
        """
        self._check_architecture(net)
        at, state = self.at, self.state
        if kept.keys() - state.keys():
            raise CheckpointError(
                "the checkpoint has not kept this",
                where=str(self.path),
                expected=", ".join(sorted(state)) or "nothing but the network",
                actual=", ".join(sorted(kept.keys() - state.keys())),
            )
        with _forged(self.path):
            put(net, self.arrays, self._part("training"))
            for name, given in kept.items():
                load(given, state[name], name)
        return at

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Refuse other settings than those of the run. Raises CheckpointError, which names the first that differs."""
        kept = self.settings
        for name in [*kept, *settings]:
            was, now = kept.get(name), settings.get(name)
            if was != now:
                raise CheckpointError(
                    "the checkpoint belongs to a run with other settings",
                    where=f"{self.path}: {name}",
                    expected=repr(was),
                    actual=repr(now),
                    hint="give the settings of that run, or begin another one in a new folder",
                )

    def _check_architecture(self, net: Network) -> None:
        own, given = self._part("architecture"), describe(net)
        for name, value in given.items():
            if own.get(name) != value:
                raise CheckpointError(
                    "the checkpoint belongs to another network",
                    where=f"{self.path}: {name}",
                    expected=short(own.get(name)),
                    actual=short(value),
                    hint="checkpoint.network() builds the one that it belongs to",
                )

    def _part(self, name: str) -> dict[str, Any]:
        part = self.manifest.get(name)
        if not isinstance(part, dict):
            raise DamagedError("the manifest has no such part", where=f"{self.path}: {name}", actual=short(part))
        return part


def position(manifest: Mapping[str, Any], path: Path) -> Position:
    """Where the run stood. Raises DamagedError where the manifest does not say."""
    at = manifest.get("at")
    if not isinstance(at, list) or len(at) != 3 or not all(whole(n, least=0) for n in at):
        raise DamagedError("the manifest does not say where the run stood", where=str(path), actual=short(at))
    return Position(*at)


@contextmanager
def _forged(path: Path) -> Iterator[None]:
    """A manifest whose hash is right, and which is none of ours all the same, ends in a DamagedError too."""
    try:
        yield
    except ScratchnetError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DamagedError(
            "the manifest is none that was written here",
            where=str(path),
            actual=f"{type(error).__name__}: {short(str(error))}",
        ) from error
