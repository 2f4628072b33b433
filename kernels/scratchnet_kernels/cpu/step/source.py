"""The module of a step: its sections in order, as text."""

from __future__ import annotations

from typing import NamedTuple

from .emit import Writer, write
from .gather import write_gather
from .model import Model

WIDTH = 120


class Source(NamedTuple):
    """The text of a step's module, how many elements of private memory it wants, and the stores behind them."""

    text: str
    memory: int
    slots: tuple[str, ...]


def emit(model: Model) -> Source:
    """Write a step down. Raises NotEmittedError where something cannot be."""
    writer = Writer(model)
    write_gather(writer)
    sections = [("forward", model.forward), ("loss", model.loss), ("backward", model.backward), ("step", model.update)]
    for title, operations in sections:
        before = len(writer.body)
        if title == "backward" and not writer.descents:
            writer.body.append("gradients[:] = 0")
        write(writer, operations)
        if len(writer.body) > before:
            writer.body[before:before] = ["", f"# {title}"]
    parameters = ["images", "targets", "order", "scale", "shift", "lr", "begun", "threads"]
    parameters += ["parameters", "gradients", *model.slots, "memory", "losses", "hits"]
    steps = [
        "for s in range(lr.size):",
        f"    index = order[{model.batch_size} * s : {model.batch_size} * (s + 1)]",
        *[f"    {line}" if line else "" for line in writer.body],
        "",
        f"    losses[s] = {writer.value}",
        f"    hits[0] += {writer.hits}",
    ]
    if model.targets.store == "labels":
        writer.setup["labels"].insert(0, f"labels = np.empty({model.targets.size}, np.int64)")
    lines = [
        f'"""A training step on {model.batch_size} sample{"s" * (model.batch_size > 1)} of {model.dtype}.',
        "",
        *[f"    {line}" for line in model.title],
        "",
        "Written by net.compile from the network's plan: change the network, not this file.",
        '"""',
        "",
        "import numpy as np",
        "from numba import njit",
        "",
        *_imports(writer),
        *("", ""),
        '@njit(cache=True, nogil=True, error_model="numpy")',
        *_wrapped(f"def run({', '.join(parameters)}):", 0),
        '    """As many steps as `lr` has rates, on the samples numbered `order`; `begun` were made before."""',
    ]
    for store in ("parameters", "gradients", "labels", "memory", "constants"):
        lines += [f"    {line}" for line in writer.setup[store]]
    for line in steps:
        lines += _wrapped(line, 4) if line else [""]
    return Source("\n".join(lines) + "\n", writer.memory, model.slots)


def _wrapped(line: str, indent: int) -> list[str]:
    """A line as a formatter would leave it: a call that is too wide has its arguments on lines of their own."""
    space = " " * indent
    text = line.lstrip()
    space += " " * (len(line) - len(text))
    if len(space + text) <= WIDTH or text.startswith("#"):
        return [space + text]
    opening, closing = text.index("("), text.rindex(")")
    inner = text[opening + 1 : closing]
    lines = [f"{space}    {inner}"]
    if len(lines[0]) > WIDTH:
        lines = [f"{space}    {argument}," for argument in _arguments(inner)]
    return [space + text[: opening + 1], *lines, space + text[closing:]]


def _arguments(text: str) -> list[str]:
    """Split at the commas that lie in no parentheses."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]


def _imports(writer: Writer) -> list[str]:
    """The imports, sorted."""
    lines = []
    for module in sorted(writer.imports):
        names = sorted(writer.imports[module])
        lines += [f"from {module} import {name}" for name in names if " as " in name]
        plain = [name for name in names if " as " not in name]
        if plain:
            lines += _wrapped_import(module, plain)
    return lines


def _wrapped_import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= WIDTH else [f"from {module} import (", *[f"    {name}," for name in names], ")"]
