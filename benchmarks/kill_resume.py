"""Kill a training run with SIGKILL at random moments, resume it each time, and hold its end against one never killed.

    python benchmarks/kill_resume.py --kills 300

A run keeps a checkpoint every two steps and the best by two metrics. It is killed and resumed until it ends; then the
next begins, until there have been enough kills. Half of them fall anywhere, half within a few milliseconds of a
checkpoint's being asked for. After each:
    - every checkpoint that was acknowledged before, and need not have given way to a newer one, is there and whole;
    - so is every other file that is called like one: what was being written is there as a whole or not at all.
In the end parameters, optimizer, counts and generator are those of the run that was never killed, to the bit.
Works where a process can fork. The parent has imported everything, so a kill takes a tenth of a second.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scratchnet import Adam, BatchNorm2d, Dense, Dropout, Flatten, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.checkpoint import Checkpoint, Checkpointer, Position, digest
from scratchnet.checkpoint.kept import LEFT
from scratchnet.data import Batches, Split, drawn

KEEP, EVERY_STEPS, EPOCHS = 3, 2, 3
BEST = {"loss": "min", "latest_loss": "max"}


@dataclass
class Outcome:
    """Kills, those of them that fell into the writing of a file, runs that ended, checkpoints that were read."""

    kills: int = 0
    cut: int = 0
    runs: int = 0
    read: int = 0
    seconds: float = 0.0


def train(folder: Path, split: Split, told: int | None = None) -> None:
    """The run, begun or resumed. A byte goes to `told` as a checkpoint is asked for, and another when it is written."""
    body = [BatchNorm2d(), Flatten(), Dense(16), ReLU(), Dropout(0.2), Dense(10)]
    net = Network(body, split.sample_shape, seed=1, backend="reference")
    loss, optimizer, rng = SoftmaxCrossEntropy(), Adam(0.01), np.random.default_rng(2)
    batches = Batches(split, 16, seed=3, backend="reference")
    saver = Checkpointer(folder, keep=KEEP, every_steps=EVERY_STEPS, best=BEST)
    losses: list[float] = []
    kept = {"rng": rng, "losses": losses}
    there = any(folder.glob("*.safetensors"))
    at = saver.resume(net, rng=rng) if there else saver.begin(net, **kept)
    losses += saver.latest().state["losses"] if there else []
    for epoch in range(at.epoch, EPOCHS + 1):
        if not at.batch:
            losses.clear()
        for x, y in batches.epoch(epoch, at.batch):
            logits, tape = net.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            optimizer.step(net, lr=0.01 * rng.uniform())
            losses.append(float(value))
            at = at.next_batch()
            _say(told, b"a")
            saver.step(at, **kept)
            _say(told, b"z")
        at = at.next_epoch()
        saver.epoch(at, {"loss": float(np.mean(losses)), "latest_loss": losses[-1]}, **kept)


def end_of(folder: Path) -> tuple[Position, str, object, object]:
    """Where a run has come to, and all that it has then."""
    last = Checkpointer(folder).latest()
    return last.at, digest(last.arrays), last.manifest["training"], last.manifest["state"]


def harness(kills: int, seed: int = 0, *, where: str | None = None) -> Outcome:
    """Kill so often; raise AssertionError where anything is lost, or a run ends elsewhere."""
    draw, outcome, began = random.Random(seed), Outcome(), time.perf_counter()
    x, y = drawn(200, seed=0)
    split = Split("train", x, y)
    root = Path(tempfile.mkdtemp(prefix="kill-", dir=where))
    try:
        train(root / "whole", split)
        expected = end_of(root / "whole")
        while outcome.kills < kills:
            folder = root / f"run{outcome.runs}"
            for _ in _killed_until_it_ends(folder, split, draw, outcome):
                _check(folder, outcome)
            found = end_of(folder)
            assert found == expected, f"run {outcome.runs} ended elsewhere: {found[0]}, not {expected[0]}"
            outcome.runs += 1
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(root)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _killed_until_it_ends(folder: Path, split: Split, draw: random.Random, outcome: Outcome) -> Iterator[None]:
    """Fork, kill, yield; until a child gets to the end."""
    while True:
        seen = _whole_steps(folder)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # leaves by _exit alone: nothing of the parent's is run twice
            code = 1
            try:
                train(folder, split, writer)
                code = 0
            finally:
                os._exit(code)
        os.close(writer)
        told = _wait(reader, draw)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        told += _rest(reader)
        os.close(reader)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "a run was refused"
            return
        outcome.kills += 1
        outcome.cut += any(LEFT.fullmatch(path.name) for path in folder.glob(".*")) if folder.exists() else 0
        now = _whole_steps(folder)
        assert not seen or now[-1] >= seen[-1], f"the newest was lost: {seen} became {now}"
        acknowledged = told.count(b"z") // EVERY_STEPS  # at least so many were written by this child
        written = ((seen[-1] if seen else 0) + told.count(b"z")) // EVERY_STEPS * EVERY_STEPS
        assert (now[-1] if now else 0) >= written, f"{now}, but step {written} was acknowledged"
        assert len(now) >= min(KEEP, len(seen) + acknowledged), f"{now} after {seen} and {acknowledged} more"
        yield


def _wait(reader: int, draw: random.Random) -> bytes:
    """Until the moment of the kill; return what the child has told."""
    if draw.random() < 0.5:
        time.sleep(draw.uniform(0.0, 0.15))
        return b""
    told, wanted = b"", draw.randint(1, 12)
    while told.count(b"a") < wanted:
        part = os.read(reader, 1)
        if not part:
            return told
        told += part
    time.sleep(draw.uniform(0.0, 0.004))
    return told


def _rest(reader: int) -> bytes:
    told = b""
    while select.select([reader], [], [], 0)[0] and (part := os.read(reader, 4096)):
        told += part
    return told


def _say(told: int | None, what: bytes) -> None:
    if told is not None:
        os.write(told, what)


def _whole_steps(folder: Path) -> list[int]:
    """The steps of the checkpoints, in the order of writing; each of them is read."""
    return [Checkpoint.read(entry.path).at.step for entry in Checkpointer(folder).all()]


def _check(folder: Path, outcome: Outcome) -> None:
    """Every file that is called like a checkpoint is one. What is left of a cut one is taken away by the next run."""
    files = list(folder.glob("*.safetensors")) if folder.exists() else []
    for path in files:
        Checkpoint.read(path)
    outcome.read += len(files)
    strays = [path.name for path in (folder.glob(".*") if folder.exists() else []) if not LEFT.fullmatch(path.name)]
    assert not strays, f"left lying: {strays}"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--where", help="a folder for the runs; the system's temporary one if not given")
    given = parser.parse_args()
    o = harness(given.kills, given.seed, where=given.where)
    print(
        f"{o.kills} kills, {o.cut} of them within the writing of a file, in {o.seconds:.0f} s: {o.runs} runs resumed to"
    )
    print(f"their end and equal to the bit, {o.read} checkpoints read, none lost")


if __name__ == "__main__":
    main()
