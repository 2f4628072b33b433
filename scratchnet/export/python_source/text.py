"""The source text of functions, and what they need besides themselves."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from functools import cache

from .functions import FUNCTIONS
from .functions.array import TYPES

MODULES = ("argparse", "base64", "gzip", "hashlib", "io", "math", "struct", "sys", "zlib")
"""What of the standard library they import by its name."""


@cache
def source_of(name: str) -> tuple[str, tuple[str, ...]]:
    """A function's text, and the names in it."""
    text = inspect.getsource(FUNCTIONS[name]).rstrip()
    return text, names_in(text)


def names_in(text: str) -> tuple[str, ...]:
    """The names that are used in it, each once."""
    found = [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    return tuple(dict.fromkeys(found))


def needed(names: Iterable[str]) -> list[str]:
    """The functions of these names, each after those that it calls."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name in FUNCTIONS and name not in found:
            for other in source_of(name)[1]:
                if other != name:
                    add(other)
            found[name] = None

    for name in names:
        add(name)
    return list(found)


def imports(texts: Iterable[str]) -> list[str]:
    """The import lines and types that the texts need."""
    names = {name for text in texts for name in names_in(text)}
    standard = [f"import {name}" for name in MODULES if name in names]
    above = [f"from collections.abc import {', '.join(n for n in ('Callable', 'Mapping') if n in names)}"]
    above = above if names & {"Callable", "Mapping"} else []
    below = ["from pathlib import Path"] if "Path" in names else []
    below += ["from typing import Any"] if "Any" in names else []
    kinds = [f"{name} = {text}" for name, text in TYPES.items() if name in names]
    both = [*standard, *above, *below]
    return [*both, *([""] if both else []), "import numpy as np", "", *kinds]
