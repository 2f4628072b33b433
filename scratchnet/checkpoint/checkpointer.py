"""The checkpointer: writes checkpoints as a run goes on, keeps the last and the best, and brings a run back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scratchnet.core.layer import require, whole
from scratchnet.core.network import Network

from .architecture import describe
from .checkpoint import Checkpoint, Position
from .errors import CheckpointError
from .file import write
from .kept import Entry, Way, best_of, entries_of, files_in, name_of, newest, number_of, sweep
from .manifest import manifest, plain
from .training import check_parameters, take


class Checkpointer:
    """Keeps a run in a folder, so that nothing but the file being written is ever lost.

        saver = Checkpointer("runs/mlp", keep=3, best={"val_accuracy": "max", "val_loss": "min"})
        at = saver.resume(net, rng=rng) if resume else saver.begin(net)
        for epoch in range(at.epoch, epochs + 1):
            for x, y in batches.epoch(epoch, at.batch):
                ...
                optimizer.step(net, lr=schedule(at.step))
                at = at.next_batch()
                saver.step(at, rng=rng)
            at = at.next_epoch()
            saver.epoch(at, {"val_accuracy": accuracy, "val_loss": loss}, rng=rng)

    Files are called by their number, in the order of writing, and the step: 000012_step1200.safetensors.

    Args:
        folder: made if need be. None: nothing is kept, and every call does nothing.
        keep: how many of the last stay.
        every: epochs from one checkpoint to the next; one that is the best by a metric is kept in any case.
        every_steps: steps from one to the next within epochs; None for none.
        best: metrics by which the best one stays, however old: {"val_loss": "min"}.

    Raises:
        ConfigError: a setting without meaning.
        CheckpointError: from any call: the folder or a file cannot be written.
    """

    def __init__(
        self,
        folder: str | Path | None,
        *,
        keep: int = 3,
        every: int = 1,
        every_steps: int | None = None,
        best: Mapping[str, Way] | None = None,
    ) -> None:
        require(whole(keep), "keep is a whole number, 1 or more", actual=repr(keep))
        require(whole(every), "every is a number of epochs, 1 or more", actual=repr(every))
        require(every_steps is None or whole(every_steps), "every_steps is a number of steps", actual=repr(every_steps))
        self.folder = None if folder is None else Path(folder)
        self.keep, self.every, self.every_steps, self.ways = keep, every, every_steps, dict(best or {})
        ways = self.ways.values()
        require(all(way in ("min", "max") for way in ways), "the best is min or max", actual=repr(self.ways))
        self._net: Network | None = None
        self._told: dict[str, Any] = {}  # what is the same in every checkpoint of the run
        self._entries: list[Entry] = []
        self._number = 0

    def begin(self, net: Network, *, settings: Mapping[str, Any] | None = None, **kept: Any) -> Position:
        """Begin a run of `net` in an empty folder; return its first position.

        `settings` are told in every checkpoint, and a run that resumes must have the same. What is `kept` is tried.
        Raises CheckpointError where the folder holds checkpoints already, or something cannot be kept.
        """
        if self.folder is not None:
            there = files_in(self.folder)
            if there:
                raise CheckpointError(
                    "the folder holds checkpoints already",
                    where=str(self.folder),
                    actual=f"{len(there)}, the last {there[-1].name}",
                    hint="resume that run, or name another folder",
                )
            self._take(net, settings)
            manifest(self._told, Position(), {}, {}, kept, {})
        return Position()

    def resume(
        self, net: Network, *, settings: Mapping[str, Any] | None = None, entry: Entry | None = None, **kept: Any
    ) -> Position:
        """Bring `net`, and what is `kept` under the same names, to where the newest checkpoint stands; or to `entry`.

        Raises CheckpointError: there is none, or it belongs to another network or to other settings.
        """
        checkpoint = self.latest() if entry is None else entry.load()
        checkpoint.check_settings(plain(settings))
        at = checkpoint.restore(net, **kept)
        self._take(net, settings)
        return at

    def step(self, at: Position, **kept: Any) -> None:
        """A step is done. Writes a checkpoint every `every_steps`."""
        if self.every_steps is not None and at.step % self.every_steps == 0:
            self.save(at, **kept)

    def epoch(
        self,
        at: Position,
        metrics: Mapping[str, float] | None = None,
        facts: Mapping[str, Any] | None = None,
        **kept: Any,
    ) -> None:
        """An epoch is done, and `at` is the start of the next. Writes a checkpoint every `every` epochs, or if best."""
        measured = {name: float(value) for name, value in (metrics or {}).items()}
        new = Entry(Path(), self._number + 1, at, measured)
        best = any(best_of([*self._entries, new], name, way) is new for name, way in self.ways.items())
        if (at.epoch - 1) % self.every == 0 or best:
            self.save(at, measured, facts, **kept)

    def save(
        self,
        at: Position,
        metrics: Mapping[str, float] | None = None,
        facts: Mapping[str, Any] | None = None,
        **kept: Any,
    ) -> Path | None:
        """Write a checkpoint now; return its file. Those that need not stay any longer are taken away then."""
        if self.folder is None:
            return None
        if self._net is None:
            raise CheckpointError("the run has not begun", hint="at = saver.begin(net), or saver.resume(net)")
        check_parameters(self._net)
        arrays, training = take(self._net)
        told = manifest({**self._told, "training": training}, at, metrics or {}, facts or {}, kept, arrays)
        path = self.folder / name_of(self._number + 1, at)
        write(path, arrays, told)
        self._number += 1
        self._entries.append(Entry(path, self._number, at, told["metrics"]))
        self._forget()
        return path

    def all(self) -> list[Entry]:
        """What the folder holds, in the order of writing: `entry.load()`, `saver.resume(net, entry=entry)`."""
        return [] if self.folder is None else entries_of(self.folder)

    def latest(self) -> Checkpoint:
        """The newest checkpoint that is whole; a DamagedWarning tells of newer ones that are not.

        Raises CheckpointError where there is none.
        """
        if self.folder is None:
            raise CheckpointError("nothing is kept", expected="Checkpointer(folder)")
        return newest(self.folder)

    def best(self, metric: str) -> Checkpoint:
        """The best by a metric. Raises CheckpointError where none was kept by it, DamagedError where it is damaged."""
        way = self.ways.get(metric)
        found = None if way is None else best_of(self.all(), metric, way)
        if found is None:
            raise CheckpointError(
                "no checkpoint is the best by this metric",
                where=str(self.folder),
                expected=", ".join(self.ways) or "Checkpointer(..., best={...})",
                actual=metric,
            )
        return found.load()

    def _take(self, net: Network, settings: Mapping[str, Any] | None) -> None:
        """From here on `net` is kept."""
        self._net, self._told = net, {"architecture": describe(net), "settings": plain(settings)}
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                sweep(self.folder)
            except OSError as error:
                raise CheckpointError(
                    "the folder cannot be written", where=str(self.folder), actual=error.strerror
                ) from error
            self._entries = self.all()
            self._number = max(map(number_of, files_in(self.folder)), default=0)

    def _forget(self) -> None:
        """Take away all but the last and the best. What cannot be taken away stays."""
        stay = self._entries[-self.keep :]
        stay += [best for name, way in self.ways.items() if (best := best_of(self._entries, name, way)) is not None]
        for entry in self._entries:
            if entry not in stay:
                with suppress(OSError):
                    entry.path.unlink()
        self._entries = [entry for entry in self._entries if entry in stay]
