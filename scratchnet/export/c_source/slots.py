"""The automatic arrays that activations lie in: few, because one that nobody reads any more is used again."""

from __future__ import annotations


class Slots:
    """Arrays by name, each as large as the largest thing that ever lies in it.

    Attributes:
        sizes: how many numbers each array holds, by name.
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self._free: list[str] = []

    def take(self, size: int) -> str:
        """The smallest free array with room; else the largest free one, made larger; else a new one."""
        if self._free:
            roomy = [name for name in self._free if self.sizes[name] >= size]
            name = min(roomy, key=self.sizes.__getitem__) if roomy else max(self._free, key=self.sizes.__getitem__)
            self._free.remove(name)
        else:
            name = f"h{len(self.sizes) + 1}"
        self.sizes[name] = max(self.sizes.get(name, 0), size)
        return name

    def give(self, name: str) -> None:
        """Nobody reads it any more."""
        self._free.append(name)
