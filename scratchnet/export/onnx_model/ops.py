"""By an op's name, the function that writes it."""

from __future__ import annotations

from collections.abc import Callable

from . import elementwise, linear, norms, recurrent

OPERATORS: dict[str, Callable[..., str]] = {
    name: function
    for module in (elementwise, linear, norms, recurrent)
    for name, function in vars(module).items()
    if getattr(function, "__module__", None) == module.__name__ and not name.startswith("_")
}
"""They take the Writer and what the op is given, by its own names, and give the name of what it puts out."""
