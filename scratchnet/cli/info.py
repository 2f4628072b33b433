"""`scratchnet info`: what there is on this machine to compute with, and the data sets that lie here."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import click

from scratchnet import __version__
from scratchnet_kernels import machine

PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "threadpoolctl", "rich")
MISSING = "not found"


def collect() -> dict[str, Any]:
    """All facts as plain data."""
    vectors, processor = machine.instruction_set()
    threading = machine.threading()
    folder, stays = machine.kernel_cache()
    names, reasons = machine.gpus()
    return {
        "scratchnet": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: machine.version_of(package) for package in PACKAGES},
        "instruction_set": vectors,
        "processor": processor,
        "blas": sorted(machine.blas(), key=lambda one: one["of"]),  # they load in any order
        "threading_layer": threading["layer"],
        "threads": threading["threads"],
        "processors": threading["processors"],
        "kernels": str(folder) if stays else None,
        "gpus": names,
        "cuda_backend": not reasons,
        "cuda_reasons": reasons,
        "data": data_sets(),
    }


def data_sets() -> dict[str, str | None]:
    """Where each data set lies: its folder, None if it would have to be downloaded, or what is wrong with it."""
    from scratchnet.data.catalog import CATALOG
    from scratchnet.data.errors import DataError, UnavailableError
    from scratchnet.data.sources import VARIABLE, cache_folder, find

    places = {"cache": cache_folder()}
    if os.environ.get(VARIABLE):
        places = {VARIABLE: Path(os.environ[VARIABLE])} | places
    found: dict[str, str | None] = {}
    for name, entry in CATALOG.items():
        found[name] = None
        for how, place in places.items():
            try:
                found[name] = f"{find(entry, place / name).folder} ({how})"
                break
            except UnavailableError:
                continue
            except DataError as error:
                found[name] = f"{error.what}: {error.where}"
                break
    return found


def show(as_json: bool) -> None:
    """Print the facts, as JSON or for a reader."""
    facts = collect()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    from scratchnet.train import Report

    report = Report(file=sys.stdout)
    report.facts("Versions", {name: facts[name] or MISSING for name in ("scratchnet", "python", *PACKAGES)})
    blas = {
        f"BLAS of {b['of']}": f"{b['kind']} {b['version']} for {b['target']}, threads: {b['threads']}"
        for b in facts["blas"]
    }
    report.facts(
        "Machine",
        {
            "platform": facts["platform"],
            "instructions": f"{facts['instruction_set']} ({facts['processor']})",
            "processors": facts["processors"],
            "Numba threads": f"{facts['threads']}, layer {facts['threading_layer']}",
            **(blas or {"BLAS": MISSING}),
            "kernels kept in": facts["kernels"] or "nowhere: each run compiles anew",
            "GPU": ", ".join(facts["gpus"]) or "none",
            "cuda backend": "available" if facts["cuda_backend"] else "no: " + "; ".join(facts["cuda_reasons"]),
        },
    )
    report.facts("Data sets", {name: place or MISSING for name, place in facts["data"].items()} | {"drawn": "built in"})
