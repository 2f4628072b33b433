"""What was tried on a run that could be made again, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scratchnet.train.shown.formats import percent

MARGIN = 0.02  # of accuracy, or of the loss: a gain that another seed gives too is none
ERRORS = 3.0  # standard errors of the difference of two rates that a gain must have besides


@dataclass(frozen=True)
class Outcome:
    """A run of a short stretch, and what the network was worth at its end.

    Attributes:
        steps: updates made; seconds: what they took.
        split: what it was measured on, `total` samples of it; accuracy is None where targets are no classes, or where
            the network puts out nothing finite.
        chance: the accuracy of guessing, which a network that puts out nothing finite is given credit for.
        ended: why it ended before the others; "" if it did not.
        cut: it was stopped from outside, so that nothing follows from what it reached.
    """

    steps: int
    seconds: float
    split: str
    total: int
    accuracy: float | None = None
    loss: float | None = None
    chance: float | None = None
    ended: str = ""
    cut: bool = False

    @property
    def reached(self) -> str:
        """In words: "82.90%", "loss 0.213"."""
        if self.accuracy is not None:
            return percent(self.accuracy)
        return f"loss {self.loss:.4g}" if self.loss is not None and math.isfinite(self.loss) else "nothing finite"


@dataclass(frozen=True)
class Trial:
    """One thing changed. `causes`: those that it would cure, if one of them were the true one; none for a guess."""

    text: str
    causes: tuple[str, ...]
    outcome: Outcome


@dataclass(frozen=True)
class Proof:
    """The run as it was, and beside it the same stretch with one thing changed each time; all with the same seed.

    Attributes:
        whole: steps of the run itself; `steps` of them were made in each trial.
        missing: what was to be tried and was not, because of the time or of Ctrl-C.
    """

    baseline: Outcome
    trials: tuple[Trial, ...]
    steps: int
    whole: int
    seconds: float
    missing: tuple[str, ...] = ()
    interrupted: bool = False

    def gain(self, outcome: Outcome) -> float:
        """What an outcome has over the baseline: in accuracy, or as a share of the baseline's loss."""
        return _worth(outcome, self.baseline) - _worth(self.baseline, self.baseline)

    def clear(self, better: Outcome, worse: Outcome) -> bool:
        """Whether one outcome is better than another beyond chance."""
        difference = _worth(better, self.baseline) - _worth(worse, self.baseline)
        return difference > max(MARGIN, ERRORS * math.hypot(_error(better), _error(worse)))

    def best(self, *causes: str) -> Trial | None:
        """The trial that reached most; of these causes, if any are named."""
        those = [trial for trial in self.trials if not trial.outcome.cut]
        if causes:
            those = [trial for trial in those if set(causes) & set(trial.causes)]
        return max(those, key=lambda trial: self.gain(trial.outcome), default=None)

    @property
    def stretch(self) -> str:
        """What was made again, in words."""
        return "the whole run" if self.steps == self.whole else f"the first {self.steps:,} of {self.whole:,} steps"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "steps": self.steps,
            "of": self.whole,
            "seconds": self.seconds,
            "baseline": _plain(self.baseline),
            "trials": [{"text": t.text, "causes": list(t.causes)} | _plain(t.outcome) for t in self.trials],
            "missing": list(self.missing),
            "interrupted": self.interrupted,
        }


def _worth(outcome: Outcome, baseline: Outcome) -> float:
    """Accuracy; without classes 1 - L/L₀, the share of the baseline's loss L₀ that is gone."""
    if outcome.chance is not None:
        return outcome.chance if outcome.accuracy is None else outcome.accuracy
    if outcome.loss is None or not math.isfinite(outcome.loss):
        return 0.0
    first = baseline.loss
    return 1 - outcome.loss / first if first and math.isfinite(first) else 1.0


def _error(outcome: Outcome) -> float:
    """Standard error of the accuracy."""
    a = outcome.accuracy
    return 0.0 if a is None or not outcome.total else math.sqrt(a * (1 - a) / outcome.total)


def _plain(outcome: Outcome) -> dict[str, Any]:
    loss = outcome.loss if outcome.loss is None or math.isfinite(outcome.loss) else None
    return {
        "accuracy": outcome.accuracy,
        "loss": loss,
        "split": outcome.split,
        "samples": outcome.total,
        "steps": outcome.steps,
        "seconds": outcome.seconds,
        "ended": outcome.ended,
    }
