"""The `scratchnet` command. Each subcommand imports what it needs when called, so that asking for help is quick."""

from __future__ import annotations

import click

from scratchnet import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="scratchnet")
def main() -> None:
    """scratchnet: a neural-net engine from scratch, every gradient hand-written, proven, fast, and open to look at."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def info(as_json: bool) -> None:
    """What this machine gives: versions, instruction set, BLAS, threads, GPU, data sets."""
    from .info import show

    show(as_json)


@main.command()
@click.argument("target", required=False, metavar="FILE.py[::NAME]")
@click.option("--all", "everything", is_flag=True, help="Check every layer and loss of scratchnet.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Of every draw.", show_default=True)
@click.option("--png", "pictures", type=click.Path(file_okay=False), metavar="FOLDER", help="Draw what is wrong.")
@click.pass_context
def check(
    context: click.Context, target: str | None, everything: bool, as_json: bool, seed: int, pictures: str | None
) -> None:
    """Hold hand-written gradients against their functions.

    FILE.py holds pairs NAME_forward(...) -> (out, cache), NAME_backward(dout, cache) -> gradients and NAME_inputs() ->
    inputs, or subclasses of scratchnet.core.Layer. It is imported. Exit code: 0 all right, 1 something is wrong or was
    not exercised, 2 nothing could be checked.
    """
    from .check import run

    context.exit(run(target, everything, as_json, seed, pictures))


@main.command()
@click.option(
    "--model",
    "models",
    type=click.Choice(["mlp", "cnn"]),
    multiple=True,
    default=["mlp", "cnn"],
    help="Of examples/mnist_manual.py; may be given twice.",
    show_default=True,
)
@click.option("--all", "everything", is_flag=True, help="Also every layer, loss and optimizer of scratchnet.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=128,
    metavar="N",
    show_default=True,
    help="Steps that are compiled whole are made for one size.",
)
@click.pass_context
def warmup(context: click.Context, models: tuple[str, ...], everything: bool, dtype: str, batch_size: int) -> None:
    """Compile now what a first run would compile, and keep it.

    Kernels are compiled when they are first called, for this machine, and kept on disk: in the user's cache folder, or
    where NUMBA_CACHE_DIR says. This makes a training step and a prediction of each model, so
    that it is done before. Exit code: 0, or 2 where nothing can be kept.
    """
    from .warmup import run

    context.exit(run(models, everything, dtype, batch_size))


@main.command()
@click.argument("path", metavar="RUN_DIR|history.json|log.txt")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
@click.option("--html", type=click.Path(dir_okay=False), metavar="FILE", help="Also write it as a page with charts.")
@click.option(
    "--recipe", metavar="FILE.py[::NAME]", help="Prove the verdict by making the run again, one thing changed."
)
@click.option(
    "--budget",
    type=click.FloatRange(0, min_open=True),
    default=45.0,
    metavar="SECONDS",
    help="For the proof, compilation apart.",
    show_default=True,
)
@click.pass_context
def doctor(
    context: click.Context, path: str, as_json: bool, html: str | None, recipe: str | None, budget: float
) -> None:
    """Why does this training run fail? The causes found, ranked, each with the numbers that speak for it.

    Reads a run directory, a history as JSON, or the text that a run printed. FILE.py holds a scratchnet.train.Recipe,
    or a function that makes one; it is imported. Exit code: 0 nothing was found, 1 something was, 2 nothing could be
    read or checked, 130 interrupted.
    """
    from .doctor import run

    context.exit(run(path, as_json, html, recipe, budget))


@main.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path())
@click.option(
    "--out", "-o", type=click.Path(), default="run.png", metavar="FILE", help="PNG or SVG.", show_default=True
)
@click.pass_context
def plot(context: click.Context, runs: tuple[str, ...], out: str) -> None:
    """Draw runs: loss, accuracy, gradient norms, update ratios, accuracy by class, confusion.

    RUN is a run's folder, a history as JSON, or a log as text; several go on one picture. Exit code: 0 drawn, 2 not.
    """
    from .plot import run

    context.exit(run(runs, out))


@main.command()
@click.argument("model", metavar="CHECKPOINT", type=click.Path())
@click.option("--to", type=click.Choice(["python", "c", "lean", "onnx", "safetensors"]), help="By default, by --out.")
@click.option("--out", "-o", type=click.Path(dir_okay=False), metavar="FILE", help="By default, CHECKPOINT's name.")
@click.option("--style", type=click.Choice(["literal", "packed"]), help="Of the numbers in Python.  [default: literal]")
@click.option("--with-backward", is_flag=True, help="Python only: the backward, a step, and their proof as well.")
@click.pass_context
def export(
    context: click.Context, model: str, to: str | None, out: str | None, style: str | None, with_backward: bool
) -> None:
    """Write a trained network as source that runs anywhere, or in an exchange format.

    CHECKPOINT is a checkpoint, a folder of them (the newest is taken), or a file that this command wrote; none of it is
    ever run. Exit code: 0 written, 2 not.
    """
    from .export import run

    context.exit(run(model, to, out, {"style": style, "with_backward": with_backward}))


@main.command()
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def inspect(context: click.Context, path: str, as_json: bool) -> None:
    """Show what a checkpoint or an exported file holds: architecture, metadata, numbers, and whether its hash is right.

    Nothing in the file is run. Exit code: 0 shown, 1 the hash is wrong, 2 it cannot be read.
    """
    from .inspect import run

    context.exit(run(path, as_json))
