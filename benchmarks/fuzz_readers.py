"""Mutated files into every reader: refused by a ScratchnetError, or read as they were; never a crash, a hang, or 1 GB.

    python benchmarks/fuzz_readers.py [--files 100000] [--seed 0] [READER ...]

Bits are flipped, pieces cut, doubled and inserted, sizes declared that are not there. Half of a checkpoint's mutations
are of its header or manifest: hostile values anywhere in them, names twice, and in most of them the hash made right
again, so that what lies behind it is tried too. Every reader runs in a process with 1 GiB of memory beyond its own
(RLIMIT_AS) and 10 s a file. Exit code 1, and the file's number, at the first that ends otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import _fuzz_models
from _fuzz import Reader, fuzz
from _fuzz_checkpoint import checkpoints, forge, read_checkpoint
from _fuzz_data import cifar_files, idx_files, read_array, read_cifar, unpacked

READERS = {
    "source": Reader(*_fuzz_models.source),
    "checkpoint": Reader(checkpoints, read_checkpoint, (forge,)),
    "safetensors": Reader(*_fuzz_models.safetensors),
    "idx": Reader(idx_files, read_array, (unpacked,), hashed=False),
    "cifar": Reader(cifar_files, read_cifar, hashed=False),
    "c": Reader(*_fuzz_models.c),
    "lean": Reader(*_fuzz_models.lean),
    "onnx": Reader(*_fuzz_models.onnx),
}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}; all if none is named")
    parser.add_argument("--files", type=int, default=100_000, help="a reader")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    for name in given.readers or READERS:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
            outcomes = fuzz(READERS[name], given.files, given.seed, Path(folder))
        shown = ", ".join(f"{count:,} {what}" for what, count in outcomes.most_common())
        print(f"{name}: {sum(outcomes.values()):,} files in {time.perf_counter() - began:.0f} s: {shown}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
