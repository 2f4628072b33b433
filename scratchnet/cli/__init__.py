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
