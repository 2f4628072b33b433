"""What an explanation is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """A likely mistake: its kind, what it is, where to look, and how sure (0 to 1)."""

    kind: str
    text: str
    look: str
    sure: float

    def __str__(self) -> str:
        how = "almost certainly" if self.sure > 0.9 else "probably" if self.sure > 0.7 else "perhaps"
        return f"{how} {self.kind}: {self.text}; look at {self.look}"
