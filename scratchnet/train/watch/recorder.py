"""Where records go: into a history and to sinks, counted by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from scratchnet.core.errors import ConfigError

from ..history import History
from ..history.records import Losses, Record


@runtime_checkable
class Sink(Protocol):
    """Takes records one by one: a RunDir, TensorBoard, something of your own."""

    def write(self, record: Record) -> None:
        """Take one."""
        ...


@runtime_checkable
class Returning(Protocol):
    """A sink that can go back to where it was, and tell what it has then: a RunDir."""

    def state_dict(self) -> dict[str, Any]:
        """Where it is."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Forget what came after."""
        ...

    def records(self) -> Iterable[Record]:
        """What it has."""
        ...


@runtime_checkable
class Configured(Protocol):
    """A sink that also keeps the run's settings: a RunDir."""

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take what is known of the run beside what it was given."""
        ...


class Recorder:
    """Writes records. Losses are gathered first, and written before whatever comes next.

    Attributes:
        history: what was written.
        fired: how often, by kind.
        lr: of the last step.
    """

    def __init__(self, history: History, sinks: Sink | Iterable[Sink], kinds: Iterable[str]) -> None:
        self.history = history
        self.fired = dict.fromkeys(kinds, 0)
        self.lr: float | None = None
        self._sinks = (sinks,) if isinstance(sinks, Sink) else tuple(sinks)
        self._first = 1  # the step of the first loss that is gathered
        self._losses: list[float] = []
        self._lrs: list[float] = []
        for sink in self._sinks:
            if isinstance(sink, Configured):
                sink.configure(history.config)

    def step(self, loss: float, lr: float) -> None:
        """Gather the loss of one more step."""
        self._losses.append(loss)
        self._lrs.append(lr)

    def write(self, kind: str, record: Record) -> None:
        """Write a record, and the losses that came before it."""
        self.flush()
        self.fired[kind] = self.fired.get(kind, 0) + 1
        self._put(record)

    def flush(self) -> None:
        """Write the losses that are gathered."""
        if self._losses:
            losses = Losses(first=self._first, values=tuple(self._losses), lr=tuple(self._lrs))
            self._first, self.lr = self._first + len(self._losses), self._lrs[-1]
            self._losses.clear()
            self._lrs.clear()
            self._put(losses)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: counts, and how far the sinks are that can tell."""
        self.flush()
        sinks = [sink.state_dict() if isinstance(sink, Returning) else None for sink in self._sinks]
        return {"first": self._first, "lr": self.lr, "fired": dict(self.fired), "sinks": sinks}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there: sinks forget what came after, and the history is what they have."""
        if len(state["sinks"]) != len(self._sinks):
            raise ConfigError("the run wrote into other sinks", expected=len(state["sinks"]), actual=len(self._sinks))
        self._first, self.lr, self.fired = state["first"], state["lr"], dict(state["fired"])
        for sink, told in zip(self._sinks, state["sinks"], strict=True):
            if isinstance(sink, Returning):
                sink.load_state_dict(told)
                for record in sink.records():
                    self.history.add(record)

    def _put(self, record: Record) -> None:
        self.history.add(record)
        for sink in self._sinks:
            sink.write(record)
