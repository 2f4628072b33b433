"""The tape: what one forward leaves for its backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import TapeError
from .replay import Replay
from .run import Run
from .types import Array, Shape

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable


class Tape:
    """Everything that a forward saved, and the lease on the memory it lies in. A backward spends it.

    A tape that is dropped counts as spent. Spent memory is handed out again by the network's next forward, so logits
    and dx stay valid until then.
    """

    def __init__(self, k: OpTable, run: Run, version: int, spent: list[Array], replay: Replay | None = None) -> None:
        self.k = k
        self.run = run
        self.replay = replay
        self._saved: Any = None
        self.x: Any = None  # what the layers were given
        self.logits_shape: Shape = ()
        self.spent = False
        self._version = version  # of the parameters at the forward
        self._returns = spent  # where the network collects slabs for its next forward

    @property
    def saved(self) -> Any:
        """What each layer saved."""
        if self._saved is None and self.replay is not None and not self.spent:
            self._saved = self.replay.saved(self.x)
        return self._saved

    def keep(self, x: Any, saved: Any = None) -> None:
        """Take what a forward leaves: what the layers were given, and what they saved unless it was replayed."""
        self.x, self._saved = x, saved

    def check(self, run_owner: list[Array], version: int) -> None:
        """Raise TapeError unless this tape can go through a backward now."""
        if run_owner is not self._returns:
            raise TapeError("this tape belongs to another network", hint="pass the tape that net.forward returned")
        if self.spent:
            raise TapeError(
                "this tape is spent: its memory has been given back",
                hint="run forward again, or pass keep=True to the first backward",
            )
        if version != self._version:
            raise TapeError(
                "the parameters have changed since this tape's forward, so its backward would be wrong",
                hint="run backward before opt.step, or forward again after it",
            )

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        if not self.spent:
            self.spent = True
            if self.replay is not None:
                self.replay.release(self._returns)
            if self.replay is None or self.run.pool is not self.replay.memory:  # else the step keeps it
                self._returns.extend(self.run.leased)
            self.run.leased.clear()
            self._saved = self.x = None

    def __del__(self) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Tape, {'spent' if self.spent else f'{sum(a.nbytes for a in self.run.leased):,} bytes'}>"
