"""Exported Python and ONNX beside the engine on all 10,000 test images of MNIST: what they cost, and do they agree?

    SCRATCHNET_DATA=<folder with mnist/> python benchmarks/export.py [--json FILE] [--epochs 2] [--targets TEXT]

A 784-128-10 network is trained, exported to every target, and each file is run in a process of its own. Of each:

    emit       seconds to write the file, median of five
    size       of the file, in 10⁶ bytes
    import     seconds to import it after NumPy, nothing compiled before (or to load it), median of five processes
    images/s   all test images in one call, from float32 pixels to logits, the best of three
    classes    on how many images its class is not the engine's (backend cpu)
    bits       whether its logits are those of the reference backend, to the bit, all images in one batch for both:
               a BLAS sums in another order where a batch has another size
    relative   the largest difference from the reference backend's logits, over the largest of the image's logits
    read back  seconds of load_source, and whether what it read is verified
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from _report import about, console, write
from rich.table import Table

from scratchnet import Adam, Dense, Flatten, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, load
from scratchnet.export import load_source, onnx, python, read_onnx

REPEATS = 5

PYTHON = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
import model
imported = time.perf_counter() - began
x, best = np.load(sys.argv[2]), 1e9
for _ in range(int(sys.argv[4])):
    began = time.perf_counter()
    logits = model.logits(x)
    best = min(best, time.perf_counter() - began)
np.save(sys.argv[3], logits)
print(imported, best)
"""

ONNX = """
import sys, time
import numpy as np, onnxruntime
began = time.perf_counter()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
loaded = time.perf_counter() - began
x, best = np.load(sys.argv[2]), 1e9
for _ in range(int(sys.argv[4])):
    began = time.perf_counter()
    (logits,) = session.run(["logits"], {"x": x})
    best = min(best, time.perf_counter() - began)
np.save(sys.argv[3], logits)
print(loaded, best)
"""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        name: its row.
        file: what the file is called.
        emit: writes a network to a path.
        run: (file, images, where to save the logits, how often) -> seconds to import, and of the fastest call.
        read: reads the file back and says whether it is verified; None where nothing reads it.
    """

    name: str
    file: str
    emit: Callable[[Network, Path], object]
    run: Callable[[Path, Path, Path, int], tuple[float, float]]
    read: Callable[[Path], bool] | None = None


def run_python(file: Path, images: Path, logits: Path, times: int) -> tuple[float, float]:
    """In an interpreter that knows nothing of scratchnet."""
    return _run(PYTHON, file.parent, images, logits, times)


def run_onnx(file: Path, images: Path, logits: Path, times: int) -> tuple[float, float]:
    """In ONNX Runtime, on one thread."""
    return _run(ONNX, file, images, logits, times)


def _run(program: str, *arguments: object) -> tuple[float, float]:
    command = [sys.executable, "-I", "-B", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported, best = map(float, done.stdout.split())
    return imported, best


def python_target(style: Any) -> Target:
    """One style of Python source."""
    return Target(
        f"python {style}",
        "model.py",
        lambda net, path: python(net, path, style=style),
        run_python,
        lambda path: load_source(path).verified,
    )


ONNX_TARGET = Target("onnx", "model.onnx", onnx, run_onnx, lambda path: bool(read_onnx(path).verified))
TARGETS = (python_target("literal"), python_target("packed"), ONNX_TARGET)


def trained(data: Any, epochs: int) -> Network:
    """784-128-10."""
    net = Network([Flatten(), Dense(128), ReLU(), Dense(data.classes)], data.input_shape)
    loss, optimizer = SoftmaxCrossEntropy(), Adam(0.002)
    batches = Batches(data.train, 128, shuffle=True)
    for epoch in range(1, epochs + 1):
        for x, y in batches.epoch(epoch):
            logits, tape = net.forward(x, training=True)
            _, dlogits = loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            optimizer.step(net)
    return net


def measured(target: Target, net: Network, folder: Path, images: Path, truth: dict[str, Any]) -> dict[str, Any]:
    """One row."""
    path, saved = folder / target.file, folder / "logits.npy"
    taken = [_seconds(lambda: target.emit(net, path)) for _ in range(REPEATS)]
    runs = [target.run(path, images, saved, 3) for _ in range(REPEATS)]
    logits, reference = np.load(saved), truth["reference"]
    row = {
        "target": target.name,
        "emit_s": median(taken),
        "size_mb": path.stat().st_size / 1e6,
        "import_s": median(imported for imported, _ in runs),
        "images_per_s": len(logits) / min(best for _, best in runs),
        "other_classes": int((logits.argmax(1) != truth["classes"]).sum()),
        "same_bits": bool((logits == reference).all()),
        "relative": float((np.abs(logits - reference).max(1) / np.abs(reference).max(1)).max()),
    }
    if target.read is not None:
        began = time.perf_counter()
        row["verified"] = target.read(path)
        row["read_s"] = time.perf_counter() - began
    return row


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main() -> None:
    """Train, export, run, compare."""
    parser = argparse.ArgumentParser(description="Exported models beside the engine.")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--data", default="mnist", help="or drawn, to try it without MNIST")
    parser.add_argument("--samples", type=int, help="train on so many only")
    parser.add_argument("--targets", default="", help="only those whose names contain this")
    options = parser.parse_args()
    data = load(options.data, samples=options.samples, val=0)
    net = trained(data, options.epochs)
    x = data.test.x.reshape(-1, *data.input_shape).astype(np.float32) * np.float32(1 / 255)
    twin = Network(net.body, net.input_shape, backend="reference")
    twin.parameters.load(net.parameters.views)
    truth = {"classes": net.predict(x).argmax(1), "reference": twin.predict(x, batch_size=len(x))}
    accuracy = float((truth["classes"] == data.test.y).mean())
    console().print(
        f"784-128-10, {data.name}, {options.epochs} epochs, {len(x):,} test images, accuracy {accuracy:.2%}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        np.save(images, x)
        for target in TARGETS:
            if options.targets in target.name:
                rows.append(measured(target, net, Path(folder), images, truth))
    table = Table(*(key.replace("_", " ") for key in rows[0]))
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    console().print(table)
    if options.json:
        write(options.json, about(threads=2) | {"accuracy": accuracy, "rows": rows})


if __name__ == "__main__":
    main()
