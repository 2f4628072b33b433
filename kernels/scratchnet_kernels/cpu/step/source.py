"""The module of a step: its functions, as text."""

from __future__ import annotations

from typing import NamedTuple

from .._products import ROWS
from .._threads import WORK
from .columns import STEPS
from .emit import Body, Writer
from .gather import write_gather
from .model import Model
from .text import indented, wrapped, wrapped_import

COMPILED = '@njit(cache=True, nogil=True, error_model="numpy"'


class Source(NamedTuple):
    """The text of a step's module, how many elements of private memory it wants, and the stores behind them."""

    text: str
    memory: int
    slots: tuple[str, ...]


def emit(model: Model) -> Source:
    """Write a step down. Raises NotEmittedError where something cannot be."""
    writer = Writer(model)
    write_gather(writer)
    writer.write("forward", writer.samples, model.forward)
    writer.write("loss", writer.samples, model.loss)
    writer.write("backward", writer.samples, model.backward)
    writer.write("step", writer.update, model.update)
    functions = _parts(writer) if writer.parts else []
    functions += _run(writer)
    imports = _imports(writer)
    lines = [
        f'"""A training step on {model.batch_size} sample{"s" * (model.batch_size > 1)} of {model.dtype}.',
        "",
        *[f"    {line}" for line in model.title],
        "",
        "Written by net.compile from the network's plan: change the network, not this file.",
        '"""',
        "",
        "import numpy as np",
        f"from numba import njit{', prange' * writer.parts}",
        "",
        *imports,
        *["", "SAMPLES, WEIGHTS, UPDATE = np.int64(0), np.int64(1), np.int64(2)"] * writer.parts,
        *functions,
    ]
    return Source("\n".join(lines) + "\n", writer.memory, model.slots)


DATA = ("images", "targets", "order", "scale", "shift", "lr", "begun")


def _given(writer: Writer) -> dict[str, tuple[str, ...]]:
    """What every function is given, in a few tuples: the data, the flat stores, the constants."""
    labels = ("labels",) * (writer.model.targets.store == "labels")
    stores = ("parameters", "gradients", *writer.model.slots, "memory", *labels)
    constants = {"constants": tuple(sorted(writer.constants))} if writer.constants else {}
    return {"data": DATA, "stores": stores} | constants


def _unpacked(writer: Writer) -> list[str]:
    return [f"{', '.join(names)}{',' * (len(names) == 1)} = {group}" for group, names in _given(writer).items()]


def _run(writer: Writer) -> list[str]:
    """The function that makes the steps."""
    model, N = writer.model, writer.model.batch_size
    parameters = [*DATA, "threads", "parameters", "gradients", *model.slots, "memory", "losses", "hits"]
    lines = _definition(
        "run", parameters, "As many steps as `lr` has rates, on the samples numbered `order`; `begun` were made before."
    )
    head = [f"labels = np.empty({model.targets.size}, np.int64)"] if model.targets.store == "labels" else []
    head += [f"{name} = {source}" for name, source in sorted(writer.constants.items())]
    head += _setup(writer.run)
    if not writer.descents:
        head += ["gradients[:] = 0"]
    steps = [f"index = order[{N} * s : {N} * (s + 1)]"]
    if not writer.descents and _left_over(model):
        steps += ["gradients[:] = 0  # the optimizer passes over some of them only"]
    steps += [f"total = {writer.total}"]
    if writer.parts:
        head += [f"{group} = {', '.join(names)}{',' * (len(names) == 1)}" for group, names in _given(writer).items()]
        head += ["values, rights = np.zeros(threads), np.zeros(threads, np.int64)"]
        given = ", ".join(["s", "total", "values", "rights", *_given(writer)])
        steps += [f"T = max(1, min(threads, {_flops(model, 'samples') // WORK}, {N // ROWS}))"]
        steps += [f"on_threads(SAMPLES, T, {given})"]
        value, hits = "values[:T].sum()", "rights[:T].sum()"
    else:
        if any("(t, T, " in line for line in writer.run.lines):
            head += ["t, T = np.int64(0), np.int64(1)"]
        steps += [*writer.run.lines, ""]
        value, hits = writer.value, writer.hits
    steps += [f"losses[s] = np.{model.dtype}({value} / total)", f"hits[0] += {hits}"]
    made = ["hits[1] += 1  # steps made: whatever happens then, the caller knows"]
    for name, body in (("weights", writer.weights), ("update", writer.update)):
        if writer.parts and body.lines:
            T = f"max(1, min(threads, {_flops(model, name) // WORK}))"
            steps += [f"on_threads({name.upper()}, {T}, {given})"]
    lines += indented(head, 4) + _many(writer.before)
    return [*lines, "    for s in range(lr.size):", *indented(steps + made, 8), *_many(writer.after)]


def _many(lines: list[str]) -> list[str]:
    """What is done only where there are many steps to make."""
    return [f"    if lr.size >= {STEPS}:", *indented(lines, 8)] if lines else []


def _left_over(model: Model) -> bool:
    """Whether there are gradients that the optimizer does not pass over, and so does not clear."""
    passed = [operation["g"] for operation in model.update]
    views = [v for operation in model.backward for v in operation.views.values() if v.store == "gradients"]
    return not all(any(p.start <= view.start and view.stop <= p.stop for p in passed) for view in views)


def _flops(model: Model, part: str) -> int:
    """The arithmetic of a part: the backward's is half in dx and half in the weights."""
    if part == "update":
        return 16 * sum(operation.views["p"].size for operation in model.update)
    backward = sum(operation.flops for operation in model.backward if operation.path) // 2
    if part == "weights":
        return backward
    dx = sum(operation.flops for operation in model.backward if operation.path and "dx" in operation.views) // 2
    return sum(operation.flops for operation in model.forward + model.loss) + dx


def _parts(writer: Writer) -> list[str]:
    """What the threads run, and what hands it out to them."""
    N, given = writer.model.batch_size, list(_given(writer))
    lines = _definition("samples", ["n0", "n1", "s", "total", *given], "Samples n0 to n1 of a step: (loss, hits).")
    lines += indented([*_unpacked(writer), f"index = order[{N} * s + n0 : {N} * s + n1]"], 4)
    lines += indented([*_setup(writer.samples), "", *writer.samples.lines, ""], 4)
    lines += [f"    return {writer.value}, {writer.hits}"]
    branches = [f"    n0, n1 = {writer.use('_threads', 'share')}(np.int64(t), T, np.int64({N}), np.int64({ROWS}))"]
    branches += [f"    values[t], rights[t] = samples(n0, n1, s, total, {', '.join(given)})"]
    for name, body, what in (
        ("weights", writer.weights, "sums over all samples"),
        ("update", writer.update, "optimizer's pass over the parameters"),
    ):
        if body.lines:
            lines += _definition(name, ["t", "T", "s", *given], f"Thread t's part of the {what}.")
            lines += indented([*_unpacked(writer), *_setup(body), *body.lines], 4)
            branches += [f"elif part == {name.upper()}:", f"    {name}(np.int64(t), T, s, {', '.join(given)})"]
    # one parallel function for all parts: each takes a second or more to compile
    what = "One of the parts of a step, on T threads."
    lines += _definition("on_threads", ["part", "T", "s", "total", "values", "rights", *given], what, parallel=True)
    return [*lines, "    for t in prange(T):", "        if part == SAMPLES:", *indented(branches, 8)]


def _definition(name: str, parameters: list[str], what: str, *, parallel: bool = False) -> list[str]:
    """The head of a function."""
    lines = ["", "", COMPILED + ", parallel=True" * parallel + ")"]
    return [*lines, *wrapped(f"def {name}({', '.join(parameters)}):"), f'    """{what}"""']


def _setup(body: Body) -> list[str]:
    return [line for store in ("parameters", "gradients", "labels", "memory") for line in body.setup[store]]


def _imports(writer: Writer) -> list[str]:
    """The imports, sorted."""
    lines = []
    for module in sorted(writer.imports):
        names = sorted(writer.imports[module])
        lines += [f"from {module} import {name}" for name in names if " as " in name]
        plain = [name for name in names if " as " not in name]
        if plain:
            lines += wrapped_import(module, plain)
    return lines
