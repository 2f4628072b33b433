"""What the benchmarks print and write: where they ran, wide tables, files put in place at once."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from scratchnet_kernels.machine import instruction_set, version_of

WIDTH = 160
PACKAGES = ("scratchnet", "numpy", "numba", "torch", "jax", "scikit-learn")


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def load() -> float | None:
    """How many processes wanted a processor in the last minute, where the system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def about(threads: int) -> dict[str, Any]:
    """The machine, the versions and the command."""
    return {
        "command": " ".join(sys.argv),
        "instruction_set": " on ".join(instruction_set()),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "processors": processors(),
        "threads": threads,
        "versions": {name: version for name in PACKAGES if (version := version_of(name))},
    }


def console() -> Console:
    """Standard output; wide enough for a table where it is no terminal."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(width=max(WIDTH, made.width), highlight=False)


def write(path: Path, result: dict[str, Any]) -> None:
    """Put the file in its place at once."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(result, indent=1) + "\n")
    partial.replace(path)
