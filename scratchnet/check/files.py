"""A file of a user's own: its forward and backward pairs and its layers, each checked, whatever the others do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import Layer

from .functions import check_gradients
from .registry import check_layer_class
from .report import Fault, Report
from .subjects.function import place


class FileError(ScratchnetError, ValueError):
    """A file does not import, or what is asked of it is not in it."""


def check_file(path: str | Path, name: str | None = None, *, seed: int = 0) -> Iterator[Report]:
    """Check what a Python file holds, one report each. The file is imported, so its code runs.

    - `NAME_forward` and `NAME_backward` with `NAME_inputs()`, which returns the inputs by name or in order, are a pair
      for `check_gradients`.
    - A subclass of Layer that is defined in the file is held, under cases that it draws itself, against its gradient
      and the contract.

    Args:
        path: the file.
        name: only this pair or layer.
        seed: of every draw.

    Raises:
        FileError: the file is missing, does not import, or holds nothing (of that name) to check.
    """
    module = load(Path(path))
    name = re.sub(r"_(forward|backward|inputs)$", "", name) if name else None
    pairs = [
        match[1]
        for key, value in vars(module).items()
        if (match := re.fullmatch(r"([^_]\w*?)_forward", key)) and getattr(value, "__module__", "") == module.__name__
    ]
    layers = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Layer) and value.__module__ == module.__name__
    }
    chosen = [found for found in [*pairs, *layers] if name in (None, found)]
    if not chosen:
        raise FileError(
            f"there is nothing {f'called {name} ' if name else ''}to check",
            where=str(path),
            expected="NAME_forward, NAME_backward and NAME_inputs(), or a subclass of scratchnet.core.Layer",
            actual=", ".join([*pairs, *layers]) or "neither",
        )
    for found in chosen:
        yield check_layer_class(layers[found], seed) if found in layers else _check_pair(module, found, seed)


def _check_pair(module: ModuleType, name: str, seed: int) -> Report:
    for part in ("backward", "inputs"):
        if not callable(getattr(module, f"{name}_{part}", None)):
            return Report(name, faults=(Fault("protocol", f"there is no function {name}_{part}"),))
    try:
        inputs = getattr(module, f"{name}_inputs")()
    except Exception as error:  # it is the user's own code: whatever it raises is his to read
        text = f"{name}_inputs raises {type(error).__name__} at {place(error)}: {error}"
        return Report(name, faults=(Fault("protocol", text),))
    forward, backward = getattr(module, f"{name}_forward"), getattr(module, f"{name}_backward")
    return check_gradients(forward, backward, inputs, name=name, seed=seed)


def load(path: Path) -> ModuleType:
    """Import a Python file of a user's own by its path. Its code runs.

    Raises FileError: it is missing, no Python file, or its code raises.
    """
    if not path.is_file():
        raise FileError("this is a folder" if path.is_dir() else "there is no such file", where=str(path))
    name = f"scratchnet_file_{path.stem}"
    spec: Any = util.spec_from_file_location(name, path)
    if spec is None:
        raise FileError("this is no Python file", where=str(path), expected="a name that ends in .py")
    module = util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise FileError(
            "the file does not import", where=place(error), actual=f"{type(error).__name__}: {error}"
        ) from error
    finally:
        if sys.path[:1] == [folder]:
            sys.path.pop(0)
    return module
