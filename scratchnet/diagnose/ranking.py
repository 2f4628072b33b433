"""Which of the causes found comes first, and which is only the consequence of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .registry import registry

CREDIBLE = 0.6
"""A cause explains another only where it is at least this share as sure: what is shown beyond doubt is not explained
away by a mere suspicion, though the suspicion, if true, would bring it about."""

EXPLAINED = 0.5
"""What a consequence's evidence counts for in the order of suspects: its cause accounts for it already, so it stands
behind an independent suspect of more than half its strength."""


def leads_to(id: str) -> Iterable[str]:
    """What a cause brings about at once."""
    return registry()[id].leads_to


def rank(
    sure: Mapping[str, float], leads: Callable[[str], Iterable[str]] = leads_to
) -> tuple[tuple[str, ...], dict[str, str | None]]:
    """The order of the ids found, and the cause under which each is nested (None: it stands for itself).

    A finding is nested under the cause nearest to it: the one that none of its other causes is brought about by.
    `leads` gives what an id brings about at once, and has no cycles. It brings about what that leads to as well, but
    a chain holds only where all of its links were found: an initial loss that did not throw the weights far explains
    nothing that far-thrown weights would.
    """

    def brings(id: str) -> frozenset[str]:
        at_once = [one for one in leads(id) if one in sure]
        return frozenset(at_once).union(*map(brings, at_once))

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
