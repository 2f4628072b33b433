"""What could not be read, told once for each kind of trouble, however long the file is."""

from __future__ import annotations

MOST = 20
"""Kinds of trouble that are told in words; the rest are counted."""


class Notes:
    """Collects remarks, each with where it was first due and how often."""

    def __init__(self) -> None:
        self.where = ""
        self._first: dict[str, str] = {}
        self._more: dict[str, int] = {}
        self._others = 0

    def __call__(self, what: str) -> None:
        """Remark something of the place that `where` names."""
        if what in self._first:
            self._more[what] = self._more.get(what, 0) + 1
        elif len(self._first) < MOST:
            self._first[what] = self.where
        else:
            self._others += 1

    def texts(self) -> list[str]:
        """The remarks: "line 3: Look.lr: 'fast' is not a number (and 12 more)"."""
        told = []
        for what, where in self._first.items():
            more = f" (and {self._more[what]} more)" if what in self._more else ""
            told.append(f"{where}: {what}{more}" if where else what + more)
        return [*told, f"and {self._others} remarks of other kinds"] if self._others else told
