"""Samples of validation or test that are in the training split too."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, held_out_facts, pc

SHARE = 0.02  # of the split: real data sets hold up to a percent of repeats by nature
FEW = 3  # samples: fewer are an accident
REPEATS = 3.0  # times the share of repeats within training: coarse data (bits, words) repeat everywhere

CAUSE = Cause(
    "split-leak",
    title="Splits share samples",
    explanation="What is measured on samples that were trained on is memory, and promises too much.",
    remedy="Remove duplicates before splitting, and split before augmenting; keep what belongs together (frames of a "
    "film, pictures of a person) in one split.",
    lesson="docs/doctor.md#split-leak",
)


@CAUSE.check
def duplicates(history: History) -> Found | None:
    """Counted value by value."""
    train = history.data.get("train")
    own = 0.0
    if train is not None and train.duplicates is not None:
        own = train.duplicates / max(train.looked_at or train.samples, 1)
    evidence, worst, asked = [], 0.0, 0
    for facts in held_out_facts(history):
        if facts.duplicates is None:
            continue
        asked += 1
        share = facts.duplicates / max(facts.samples, 1)
        if share > max(SHARE, REPEATS * own) and facts.duplicates >= FEW:
            text = f"{g(facts.duplicates)} of {g(facts.samples)} samples ({pc(share)}) are in the training split too"
            more = "" if not own else f"; within training {pc(own)} repeat"
            evidence.append(Evidence(text + more, facts.split))
            worst = max(worst, share)
    if not asked:
        raise NotKnownError("samples that two splits share")
    return Found(min(0.95, 0.8 + worst), *evidence) if evidence else None
