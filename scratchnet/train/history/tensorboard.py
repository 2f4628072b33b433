"""A run's records as TensorBoard event files, which `tensorboard --logdir FOLDER` serves. TensorFlow is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from scratchnet.check.optional import missing

from ..errors import RecordError
from .codec import plain
from .records import End, Epoch, Event, Look, Losses, Record

SCALARS = ("lr", "loss", "memory_mb", "samples_per_second")
INPUTS = ("minimum", "maximum", "mean", "std", "norm")
OUTPUTS = ("entropy", "top_share", "saturated", "loss", "error")
PARAMETERS = ("gradient", "weight", "update")
LAYERS = ("mean", "std", "zero", "dead", "never", "saturated", "gradient", "gain")


class TensorBoard:
    """A sink for a Monitor beside RunDir, or instead of it.

        with TensorBoard("runs/mlp") as board:
            monitor = Monitor(net, loss, optimizer, run=[RunDir("runs/mlp"), board])

    Scalars, by step: step/loss, step/lr, gradient/0.W, weight/0.W, update_ratio/0.W, layer_dead/1, inputs/mean, ...
    By epoch: loss/train, loss/val, accuracy/val, ... Events and the end are texts. NaN and infinite values go in as
    they are; what was not measured does not go in.

    Args:
        path: the folder of the event files.
        config: settings, shown as a text.

    Raises:
        MissingPackageError: without tensorboardX, which the extra `tensorboard` brings.
        RecordError: nothing can be written there, now or later.
    """

    def __init__(self, path: str | Path, config: Mapping[str, Any] | None = None) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise missing("TensorBoard", "tensorboardX", "tensorboard") from error
        self.path = Path(path)
        try:
            self._writer = SummaryWriter(str(self.path), flush_secs=10)
        except OSError as error:
            raise RecordError(
                "the event files cannot be written", where=str(self.path), actual=error.strerror or str(error)
            ) from error
        for name, value in (config or {}).items():
            self._writer.add_text(f"config/{name}", f"`{plain(value)}`", 0)

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, record: Record) -> None:
        """Put a record's figures in."""
        for name, value, step in scalars(record):
            self._writer.add_scalar(name, value, step)
        if isinstance(record, Event):
            text = " ".join(str(part) for part in (record.what, record.where, record.message) if part)
            self._writer.add_text("events", text, record.step)
        elif isinstance(record, End):
            self._writer.add_text("end", f"{record.how}: {record.message or 'no message'}", record.steps or 0)
            self._writer.flush()

    def close(self) -> None:
        """Nothing more is written. May be called again."""
        self._writer.close()


def scalars(record: Record) -> list[tuple[str, float, int]]:
    """(name, value, step or epoch) of everything in a record that is one number and was measured."""
    if isinstance(record, Losses):
        told = [("step/loss", value, step) for step, value in enumerate(record.values, record.first)]
        return told + [("step/lr", value, step) for step, value in enumerate(record.lr or (), record.first)]
    if isinstance(record, Epoch):
        figures = {f"loss/{split}": one.loss for split, one in record.splits.items()}
        figures |= {f"accuracy/{split}": one.accuracy for split, one in record.splits.items()}
        figures |= {"epoch/lr": record.lr, "epoch/seconds": record.seconds}
        return [(name, float(value), record.epoch) for name, value in figures.items() if value is not None]
    if not isinstance(record, Look):
        return []
    figures = {f"look/{name}": getattr(record, name) for name in SCALARS}
    for group, held, names in (("inputs", record.inputs, INPUTS), ("outputs", record.outputs, OUTPUTS)):
        figures |= {f"{group}/{name}": getattr(held, name) for name in names if held is not None}
    for name, one in record.parameters.items():
        figures |= {f"{what}/{name}": getattr(one, what) for what in PARAMETERS}
        if one.update is not None and one.weight:
            figures[f"update_ratio/{name}"] = one.update / one.weight
    for layer in record.layers:
        figures |= {f"layer_{what}/{layer.path}": getattr(layer, what) for what in LAYERS}
    return [(name, float(value), record.step) for name, value in figures.items() if value is not None]
