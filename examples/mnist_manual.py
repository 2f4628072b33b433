"""Train a network on MNIST with every step in plain sight: forward, loss, backward, step. There is no `fit` here.

    python examples/mnist_manual.py                      a 784-128-10 MLP
    python examples/mnist_manual.py --model cnn          two 3 x 3 convolutions
    python examples/mnist_manual.py --data drawn         digits made on the spot, no files needed
    python examples/mnist_manual.py --save runs/a        writes checkpoints
    python examples/mnist_manual.py --resume runs/a      goes on from the newest, as if nothing had happened
    python examples/mnist_manual.py --export mlp.py      writes the network as source that needs NumPy alone
    python examples/mnist_manual.py --samples 500 --val 0 --batch-size 1 --no-shuffle --epochs 5 \\
        --optimizer sgd --lr 0.01 --pixels raw           what happens when pixels stay at 0..255

Read `train` first: it is the whole of it. How things are printed stands in scratchnet/train/.
"""

from __future__ import annotations

import math
import sys
import time
from types import SimpleNamespace
from typing import Any

import click
import numpy as np

from scratchnet import SGD, Adam, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy, export
from scratchnet.checkpoint import Checkpointer
from scratchnet.data import Batches, Split, load
from scratchnet.optim import Constant, OneCycle
from scratchnet.train import Counts, CtrlC, Record, Report, gradient_norms, require_finite, session
from scratchnet_kernels import get_backend

MODELS = {
    "mlp": lambda classes: [Flatten(), Dense(128), ReLU(), Dense(classes)],
    "cnn": lambda classes: [
        *(Conv2d(16, 3, padding="same"), ReLU(), MaxPool2d(2)),  # (1, 28, 28) -> (16, 14, 14)
        *(Conv2d(32, 3, padding="same"), ReLU(), MaxPool2d(2)),  # (16, 14, 14) -> (32, 7, 7)
        *(Flatten(), Dense(128), ReLU(), Dense(classes)),
    ],
}
EPOCHS = {"mlp": 10, "cnn": 8}
BEST = {"val_accuracy": "max", "train_loss": "min"}  # such checkpoints are kept beside the last
AROUND = ("data_dir", "save", "resume", "save_steps", "export", "json", "quiet")  # options that change nothing in a run
FACTS = ("data", "model", "optimizer", "lr", "schedule", "batch_size", "seed", "pixels")  # told in exported files
OPTIMIZERS = {  # how it is made, its learning rate, and whether that rate goes through one cycle or stays
    "sgd": (lambda lr: SGD(lr), 0.1, False),
    "momentum": (lambda lr: SGD(lr, momentum=0.9, weight_decay=1e-4), 0.2, True),
    "adam": (lambda lr: Adam(lr), 0.005, True),
}


def train(o: SimpleNamespace, report: Report, record: Record) -> None:
    """The run. What is known goes into `record` at once, so that it is there whatever ends the run."""
    report.facts("Settings", vars(o))
    get_backend(o.backend)  # one that cannot run is refused here, before the data is sought
    data = load(o.data, o.data_dir, val=o.val, samples=o.samples, seed=o.seed)
    report.data(data)
    layers = MODELS[o.model](data.classes)
    net = Network(layers, data.input_shape, seed=o.seed, backend=o.backend, dtype=o.dtype)
    make, _, cycles = OPTIMIZERS[o.optimizer]
    loss, optimizer = SoftmaxCrossEntropy(), make(o.lr)
    if o.export:
        export.trial(net, o.export)
    report.facts("Network", {"layers": net, "loss": loss, "optimizer": optimizer})
    record.set(data=data.name, classes=data.class_names, parameters=net.parameter_count)

    def batches_of(split: Split, size: int = 1000, shuffle: bool = False) -> Batches:
        scale = 1 / 255 if o.pixels == "unit" else 1.0
        how = {"scale": scale, "dtype": o.dtype, "backend": o.backend, "seed": o.seed}
        return Batches(split, size, shuffle=shuffle, **how)

    batches = batches_of(data.train, o.batch_size, shuffle=not o.no_shuffle)
    schedule = OneCycle(o.lr, steps=o.epochs * len(batches)) if cycles else Constant(o.lr)
    saver, counts = Checkpointer(o.resume or o.save, every_steps=o.save_steps, best=BEST), Counts(data.classes)
    begin, run = saver.resume if o.resume else saver.begin, settings_of(o) | {"data": data.name}
    at = begin(net, settings=run, counts=counts, record=record)  # the epoch, and how many batches of it are done
    facts = {name: run[name] for name in FACTS}
    with CtrlC() as ctrl_c, report.live(o.epochs, len(batches)) as live:
        for epoch in range(at.epoch, o.epochs + 1):
            counts = counts if at.batch else Counts(data.classes)
            began = time.perf_counter()
            for x, y in ctrl_c.between(batches.epoch(epoch, at.batch)):
                lr = schedule(at.step)
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                require_finite(float(value), epoch=epoch, batch=at.batch + 1, lr=lr)
                net.zero_grad()
                net.backward(dlogits, tape)
                if at.step == 0:
                    report.norms("first batch", gradient_norms(net))
                optimizer.step(net, lr=lr)

                at = at.next_batch()
                counts.add(logits, y, float(value))  # under the weights as they were at this batch
                began = record.trained(len(x), began)
                saver.step(at, counts=counts, record=record)
                live.show(epoch, counts, counts.total / record["images_per_second"])
            live.say("evaluation")
            val, _ = evaluate(net, batches_of(data.val), ctrl_c) if data.val else (None, None)
            test, _ = evaluate(net, batches_of(data.test), ctrl_c)
            record.epoch(counts, test, val)
            report.epoch(epoch, o.epochs, {"train": counts, "val": val, "test": test}, gradient_norms(net))
            at = at.next_epoch()
            saver.epoch(at, record.latest(), facts, counts=counts, record=record)
        whole, _ = evaluate(net, batches_of(data.train), ctrl_c)
        test, logits = evaluate(net, batches_of(data.test), ctrl_c)  # again: a run that resumes may have no epoch left
        record.set(train_accuracy=whole.accuracy)
    if o.export:
        told = {"epochs": o.epochs, **record.latest(), "train_accuracy": whole.accuracy}
        export.write(net, export.target_of(o.export), o.export, facts=facts | told)
    report.classes(test, data.class_names)
    report.samples(data.test.x, data.test.y, logits, data.class_names)


def settings_of(o: SimpleNamespace) -> dict[str, Any]:
    """The settings that make the run what it is: a run that is resumed has the same."""
    return {name: value for name, value in vars(o).items() if name not in AROUND}


def evaluate(net: Network, batches: Batches, ctrl_c: CtrlC) -> tuple[Counts, np.ndarray]:
    """Exact counts over a whole split, and its logits (N, classes)."""
    counts, parts = Counts(net.output_shape[0]), []
    for x, y in ctrl_c.between(batches.epoch(0)):
        parts.append(net.predict(x))
        counts.add(parts[-1], y)
    return counts, np.concatenate(parts)


def exportable(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A file's name tells what is written."""
    if value is not None and export.target_of(value) is None:
        raise click.BadParameter(f"{value} does not end in {', '.join(export.SUFFIXES.values())}")
    return value


def finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """A learning rate is a positive, finite number."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not a positive, finite number")
    return value


class Whole(click.IntRange):
    """A whole number, so many or more, in words that are not click's ("INTEGER RANGE")."""

    name = "whole number"

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """What stands for it in the help."""
        return "N"


# fmt: off
option, choice, count = click.option, click.Choice, Whole
@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@option("--data", type=choice(["auto", "mnist", "fashion", "kmnist", "drawn"]), default="auto", help="Data set.")
@option("--data-dir", type=click.Path(), help="Where its files are.  [default: SCRATCHNET_DATA, cache, download]")
@option("--model", type=choice([*MODELS]), default="mlp", help="784-128-10, or two convolutions.")
@option("--epochs", type=count(1), help="Passes over the training images.  [default: 10; cnn: 8]")
@option("--batch-size", type=count(1), default=128, help="Images a step.")
@option("--lr", type=float, callback=finite, help="Learning rate: constant for sgd, else the peak of one cycle.  "
        "[default: sgd 0.1, momentum 0.2, adam 0.005]")
@option("--optimizer", type=choice([*OPTIMIZERS]), default="momentum", help="Rule of the step.")
@option("--samples", type=count(1), help="Use only the file's first N training images.")
@option("--val", type=count(0), help="The last N of them are for validation.  [default: 5000; a tenth of --samples]")
@option("--pixels", type=choice(["unit", "raw"]), default="unit", help="Scaled to [0, 1], or left at 0..255.")
@option("--no-shuffle", is_flag=True, help="Take the images in the file's order.")
@option("--seed", type=count(0), default=0, help="Of weights, order and drawn digits.")
@option("--backend", type=choice(["cpu", "reference", "cuda"]), default="cpu", help="What computes.")
@option("--dtype", type=choice(["float32", "float64"]), default="float32", help="Of weights and activations.")
@option("--save", type=click.Path(), help="Write checkpoints into this folder.")
@option("--save-steps", type=count(1), default=200, help="Steps from one checkpoint to the next within an epoch.")
@option("--resume", type=click.Path(), help="Go on from the newest checkpoint in this folder, and write there.")
@option("--export", type=click.Path(dir_okay=False), callback=exportable, help="Write the network as .py, .c, ....")
@option("--json", type=click.Path(), help="Write all figures to this file.")
@option("--quiet", is_flag=True, help="Print the result only.")
def main(**given: Any) -> None:
    """Train on MNIST by hand. Ends with 0, with 2 after an error, with 130 after Ctrl-C."""
    o = SimpleNamespace(**{option.name: given[option.name] for option in main.params})  # as declared, not as typed
    _, usual_lr, cycles = OPTIMIZERS[o.optimizer]
    o.lr, o.schedule = o.lr or usual_lr, "one cycle" if cycles else "constant"
    o.epochs = o.epochs or EPOCHS[o.model]
    if o.val is None:
        o.val = 5000 if o.samples is None else min(5000, o.samples // 10)
    if o.save and o.resume:
        raise click.UsageError("--resume writes into its own folder: give it without --save")
    report, record = Report(quiet=o.quiet), Record(settings_of(o))
    sys.exit(session(lambda: train(o, report, record), report, record, o.json))


if __name__ == "__main__":
    main()
