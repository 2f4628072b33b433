"""The figures of a run, and the file they go to: one flat JSON object, there as a whole or not at all."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scratchnet.core.errors import ConfigError
from scratchnet.data.files import replacing

from .errors import RecordError
from .metrics import Counts


class Record:
    """What is known of a run so far, whatever ends it. Accuracies are fractions; None stands for not measured.

    `train_accuracies` and `losses` are sums over an epoch's batches, each under the weights as they were at that
    batch; `train_accuracy` is measured with the final weights over the whole training set.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        measured: dict[str, Any] = {
            "epochs": 0,  # complete ones
            "test_accuracy": None,
            "train_accuracy": None,
            "val_accuracy": None,
            "per_class": None,
            "predicted": None,
            **{name: [] for name in ("losses", "train_accuracies", "val_accuracies", "test_accuracies")},
            "train_seconds": 0.0,
            "images": 0,  # trained on, all epochs together
            "images_per_second": None,
            "seconds": 0.0,
            "peak_memory_mb": None,
            "kernels_compiled": 0,
            "compile_seconds": 0.0,
            "interrupted": False,
            "stopped": None,
        }
        self.figures = {**settings, **measured}
        self._measured = frozenset(measured)

    def __getitem__(self, name: str) -> Any:
        return self.figures[name]

    def set(self, **figures: Any) -> None:
        """Enter figures by name."""
        self.figures.update(figures)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: everything but the settings."""
        return {name: value for name, value in self.figures.items() if name in self._measured}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stood. Raises ConfigError where its figures are others."""
        if set(state) != self._measured:
            raise ConfigError("these are no figures of a run", actual=", ".join(sorted(state)))
        self.figures.update(state)

    def trained(self, images: int, began: float) -> float:
        """`images` more were trained on since `began`; both times are those of time.perf_counter(). Returns now."""
        now = time.perf_counter()
        self.figures["images"] += images
        self.figures["train_seconds"] += now - began
        self.figures["images_per_second"] = self.figures["images"] / max(self.figures["train_seconds"], 1e-9)
        return now

    def epoch(self, train: Counts, test: Counts, val: Counts | None) -> None:
        """An epoch is complete."""
        self.figures["epochs"] += 1
        self.figures["losses"].append(train.loss)
        for name, counts in (("train", train), ("val", val), ("test", test)):
            if counts is not None:
                self.figures[f"{name}_accuracies"].append(counts.accuracy)
        self.set(val_accuracy=None if val is None else val.accuracy, test_accuracy=test.accuracy)
        self.set(per_class=test.per_class, predicted=test.predicted)

    def latest(self) -> dict[str, float]:
        """What was measured in the last epoch, by name: train_loss, train_accuracy, val_accuracy, test_accuracy."""
        series = {"train_loss": "losses"} | {f"{s}_accuracy": f"{s}_accuracies" for s in ("train", "val", "test")}
        return {name: self.figures[of][-1] for name, of in series.items() if self.figures[of]}

    def write(self, path: str | Path) -> None:
        """Write the figures as JSON. A number that is NaN or infinite, which JSON cannot say, becomes null.

        A file is replaced as a whole; a device or a pipe (/dev/stdout) is written to. A link stays, its target changes.

        Raises RecordError, with the reason; what was there before then stays.
        """
        path = Path(path)
        sayable = {name: _sayable(value) for name, value in self.figures.items()}
        text = json.dumps(sayable, indent=2, allow_nan=False) + "\n"
        try:
            if _is_stream(path):
                path.write_text(text, "utf-8")
                return
            with replacing(path) as file:
                file.write(text.encode("utf-8"))
        except OSError as error:
            raise _error(path, error.strerror or str(error)) from error


def check_writable(path: str | Path) -> None:
    """Find out now, and not after the training, that `path` cannot be written. Leaves no trace.

    Raises RecordError, with the reason.
    """
    path = Path(path)
    if path.is_dir():
        raise _error(path, "it is a folder")
    try:
        if _is_stream(path):
            if not os.access(path, os.W_OK):
                raise PermissionError("no permission")
            return
        handle, trial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.resolve().parent)
        os.close(handle)
        os.unlink(trial)
    except OSError as error:
        raise _error(path, error.strerror or str(error)) from error


def _is_stream(path: Path) -> bool:
    """Whether the path is there and is no file: replacing it would take a device out of the system."""
    return path.exists() and not path.is_file()


def peak_memory_mb() -> float | None:
    """The most memory this process has had resident, in units of 10⁶ bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak * (1 if sys.platform == "darwin" else 1024)) / 1e6


def _sayable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _sayable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    return value


def _error(path: Path, reason: str) -> RecordError:
    return RecordError(
        "the JSON file cannot be written", where=str(path), actual=reason, hint="name a file in a folder that exists"
    )
