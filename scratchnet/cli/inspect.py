"""`scratchnet inspect`: what a checkpoint or an exported file holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
import numpy as np

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.types import Array
from scratchnet.train.shown.console import Report
from scratchnet.train.shown.formats import number, percent
from scratchnet.train.shown.tables import show_table

from .models import Model, open_model

HASHES = {True: "right", False: "WRONG: the numbers are not those that were written", None: "none in the file"}


def run(path: str, as_json: bool) -> int:
    """Read and show; returns the exit code: 0 shown, 1 the hash is wrong, 2 it cannot be read."""
    try:
        model = open_model(path)
    except ScratchnetError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    if as_json:
        click.echo(json.dumps(as_dict(model), indent=2, allow_nan=False))
    else:
        show(model, Report(file=sys.stdout))
    return 1 if model.verified is False else 0


def show(model: Model, report: Report) -> None:
    """Metadata, architecture, numbers, hash."""
    report.line(f"{model.path}: {model.kind}", "bold")
    for line in model.told:
        report.line(f"  {_printable(line)}")
    if model.network is not None:
        rows = [(r["layer"], r["output"], f"{r['parameters']:,}", f"{r['flops']:,}") for r in architecture(model)]
        show_table(report, ("layer", "output", "parameters", "FLOPs"), rows, title="Architecture, for one sample")
    heads = "array", "shape", "mean", "std", "least", "greatest", "zero", "not finite"
    cells = []
    for name, of in statistics(model.arrays).items():
        told = [_cell(of[key]) for key in ("mean", "std", "least", "greatest")]
        shape = " × ".join(map(str, of["shape"])) or "1"
        cells.append((_printable(name), shape, *told, percent(of["zero"]), str(of["not_finite"] or "")))
    show_table(report, heads, cells, title="Numbers")
    report.line(f"SHA-256: {HASHES[model.verified]}", "bold red" if model.verified is False else "bold")


def as_dict(model: Model) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "path": str(model.path),
        "kind": model.kind,
        "metadata": dict(line.split(": ", 1) for line in model.told),
        "architecture": None if model.network is None else architecture(model),
        "arrays": statistics(model.arrays),
        "verified": model.verified,
    }


def architecture(model: Model) -> list[dict[str, Any]]:
    """The outermost layers: source, output shape, parameters, floating-point operations of one sample's forward."""
    assert model.network is not None
    plan = model.network.record(1, training=False)
    flops = dict.fromkeys((name for name, _ in model.network.body.children()), 0)
    for call in plan.forward:
        flops[call.path.partition(".")[0]] += call.flops
    found = []
    for name, layer, shape in model.network.body.wiring(model.network.input_shape):
        own = [s for s in model.network.parameters.segments.values() if s.name.startswith(f"{name}.")]
        row = {"path": name, "layer": repr(layer), "output": str(tuple(layer.out_shape(shape)))}
        found.append(row | {"parameters": sum(s.stop - s.start for s in own), "flops": flops[name]})
    return found


def statistics(arrays: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Of every array: shape, element type, mean, deviation, extremes over what is finite, zeros, what is not finite."""
    found = {}
    for name, array in arrays.items():
        values = np.asarray(array, np.float64)
        finite = values[np.isfinite(values)]
        with np.errstate(over="ignore"):
            told = (finite.mean(), finite.std(), finite.min(), finite.max()) if finite.size else (None,) * 4
        row: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
        names = "mean", "std", "least", "greatest"
        named = zip(names, told, strict=True)
        row |= {name: None if value is None or np.isinf(value) else float(value) for name, value in named}
        row["zero"] = float(np.mean(values == 0)) if values.size else None
        found[name] = row | {"not_finite": int(values.size - finite.size)}
    return found


def _printable(text: str) -> str:
    """Without what would move the cursor or begin a line: the text may be a stranger's."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _cell(value: float | None) -> str:
    return "-" if value is None else number(value)
