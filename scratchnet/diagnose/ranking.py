"""Which of the causes found comes first, and which is only the consequence of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .registry import reach

CREDIBLE = 0.6
"""A cause explains another only where it is at least this share as sure: what is shown beyond doubt is not explained
away by a mere suspicion, though the suspicion, if true, would bring it about."""

EXPLAINED = 0.5
"""What a consequence's evidence counts for in the order of suspects: its cause accounts for it already, so it stands
behind an independent suspect of more than half its strength."""


def rank(
    sure: Mapping[str, float], brings: Callable[[str], frozenset[str]] = reach
) -> tuple[tuple[str, ...], dict[str, str | None]]:
    """The order of the ids found, and the cause under which each is nested (None: it stands for itself).

    A finding is nested under the cause nearest to it: the one that none of its other causes is brought about by.
    `brings` gives all that an id brings about, and has no cycles.
    """
    above = {
        id: [by for by in sure if id in brings(by) and sure[by] >= CREDIBLE * sure[id]] for id in sure
    }  # the credible causes of each
    parents: dict[str, str | None] = {}
    for id, by in above.items():
        nearest = [one for one in by if not any(other in brings(one) for other in by)]
        parents[id] = max(nearest, key=lambda one: (sure[one], one), default=None)
    order: list[str] = []
    while len(order) < len(sure):
        free = [id for id in sure if id not in order and all(by in order for by in above[id])]
        order.append(max(free, key=lambda id: (sure[id] * (EXPLAINED if above[id] else 1.0), id)))
    return tuple(order), parents
