"""A recipe out of a user's Python file, so that the doctor can make the run again."""

from __future__ import annotations

from pathlib import Path

import click

from scratchnet.check.files import FileError, load
from scratchnet.check.subjects.function import place
from scratchnet.train import Recipe


def recipe_in(target: str) -> Recipe:
    """The recipe that FILE.py or FILE.py::NAME holds; NAME may also be a function without arguments that makes it.

    Without a name it is the one called `recipe`, or else the only one.

    Raises FileError: the file does not import, or holds no such recipe, or more than one.
    """
    path, separator, name = target.partition("::")
    if separator and not name:
        raise click.UsageError("there is no name behind ::")
    held = vars(load(Path(path)))
    recipes = [key for key, value in held.items() if isinstance(value, Recipe)]
    if not name:
        name = "recipe" if "recipe" in held else recipes[0] if len(recipes) == 1 else ""
    value = held.get(name)
    if callable(value) and not isinstance(value, type):
        try:
            value = value()
        except Exception as error:  # it is the user's own code: whatever it raises is theirs to read
            actual = f"{type(error).__name__}: {error}"
            raise FileError(f"{name}() raises", where=place(error), actual=actual) from error
    if not isinstance(value, Recipe):
        raise FileError(
            f"there is no recipe {f'called {name} ' if name else ''}in the file",
            where=path,
            expected="a scratchnet.train.Recipe, or a function without arguments that makes one",
            actual=type(value).__name__ if name in held else f"recipes: {', '.join(recipes) or 'none'}",
            hint="name it: FILE.py::NAME",
        )
    return value
