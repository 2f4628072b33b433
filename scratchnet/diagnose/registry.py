"""All causes: one a file in `causes/`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from . import causes
from .cause import Cause


@cache
def registry() -> dict[str, Cause]:
    """The causes by id, in the order of their names."""
    names = sorted(module.name for module in iter_modules(causes.__path__) if not module.name.startswith("_"))
    found: list[Cause] = [import_module(f"{causes.__name__}.{name}").CAUSE for name in names]
    return {cause.id: cause for cause in found}


@cache
def reach(id: str) -> frozenset[str]:
    """All that a cause brings about, at once or through others."""
    causes = registry()
    found: set[str] = set()
    todo = list(causes[id].leads_to)
    while todo:
        if (name := todo.pop()) not in found:
            found.add(name)
            todo += causes[name].leads_to
    return frozenset(found)
