"""What a checkpoint keeps of a monitor, so that the history of a run that was resumed is one history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .monitor import Monitor

COUNTS = ("steps", "_epochs", "_batches", "_samples", "_count", "_first_count", "_broken")


class KeptMonitor:
    """A monitor as a checkpoint takes it. A run folder among its sinks is cut back to where it was, and read again.

    Without one, the history begins where the run was resumed.
    """

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor

    def state_dict(self) -> dict[str, Any]:
        """Counts, and how much has been written where."""
        monitor = self.monitor
        monitor.finish_step()
        counts = {name: getattr(monitor, name) for name in COUNTS}
        return {
            "counts": counts,
            "active": monitor._looker.layers.active,
            "recorder": monitor._recorder.state_dict(),
            "spikes": monitor._spikes.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        for name in COUNTS:
            setattr(self.monitor, name, state["counts"][name])
        self.monitor._looker.layers.active = dict(state["active"])
        self.monitor._recorder.load_state_dict(state["recorder"])
        self.monitor._spikes.load_state_dict(state["spikes"])
