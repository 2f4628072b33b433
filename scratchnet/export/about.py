"""What every exported file says of the model: what it was trained on, how it did, and the hash of its numbers."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from scratchnet.checkpoint.architecture import describe
from scratchnet.checkpoint.digest import digest
from scratchnet.core.types import Array

from .errors import ExportError

if TYPE_CHECKING:
    from scratchnet.core.network import Network

Fact: TypeAlias = str | int | float | None

LABELS = {
    "data": "trained on",
    "epochs": "epochs",
    "optimizer": "optimizer",
    "lr": "learning rate",
    "batch_size": "batch size",
    "seed": "seed",
    "train_accuracy": "training accuracy",
    "train_loss": "training loss",
    "val_accuracy": "validation accuracy",
    "val_loss": "validation loss",
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "pixels": "pixels",
    "ended": "training ended",
}
"""The facts that have a label, in the order in which they are shown; others follow under their own names."""

ENDS = ("parameters", "scratchnet version", "SHA-256 of parameters")
"""The labels of the last lines, which are always there."""

LONGEST = 80  # characters of a value: with its label it fits into a line of any target's comment


@dataclass(frozen=True)
class About:
    """The metadata of an exported file.

    Attributes:
        facts: what is known of the training.
        parameters: how many numbers are trained; tied ones count once.
        version: of scratchnet.
        sha256: of parameters and buffers.
    """

    facts: Mapping[str, Fact]
    parameters: int
    version: str
    sha256: str

    @classmethod
    def of(cls, net: Network, facts: Mapping[str, Fact] | None = None) -> About:
        """Of a network as it is now.

        Raises:
            ExportError: for a fact that is no text, number or None, and a name that is no identifier.
        """
        from scratchnet import __version__

        known = {key: _checked(key, value) for key, value in (facts or {}).items()}
        order = [*(key for key in LABELS if key in known), *sorted(known.keys() - LABELS)]
        return cls({key: known[key] for key in order}, net.parameter_count, __version__, digest_of(net))

    @property
    def lines(self) -> list[str]:
        """`label: value`, one a line, at most 120 columns, safe in a Python docstring and in C's and Lean's comments.

        A value reads as it is; a text that would read as a number stands in quotes, and None is `unknown`.
        """
        ends = dict(zip(ENDS, (f"{self.parameters:,}", self.version, self.sha256), strict=True))
        shown = {LABELS.get(key, key): _shown(value) for key, value in self.facts.items()} | ends
        return [f"{label}: {value}" for label, value in shown.items()]


def about_from(lines: Sequence[str]) -> About:
    """From `About.lines`. Raises ExportError for lines that are none."""
    pairs = [line.partition(": ") for line in lines]
    if len(pairs) < len(ENDS) or any(not between for _, between, _ in pairs):
        raise ExportError("no metadata of a model", expected="label: value", actual=repr("\n".join(lines)[:80]))
    *known, parameters, version, sha256 = pairs
    if (parameters[0], version[0], sha256[0]) != ENDS or not re.fullmatch(r"[0-9,]{1,20}", parameters[2]):
        raise ExportError("metadata that does not end as it should", expected=", ".join(ENDS))
    facts = facts_from({label: text for label, _, text in known})
    for key, value in facts.items():
        _checked(key, value)
    return About(facts, int(parameters[2].replace(",", "")), version[2], sha256[2])


def facts_from(metadata: Mapping[str, str]) -> dict[str, Fact]:
    """The facts among metadata by label, as they were given."""
    keys = {label: key for key, label in LABELS.items()}
    named = {keys.get(label, label): fact_from(text) for label, text in metadata.items() if label not in ENDS}
    return {key: value for key, value in named.items() if key.isidentifier() and key != "architecture"}


def arrays_of(net: Network) -> dict[str, Array]:
    """Parameters and buffers by name: the numbers of a model."""
    return {**net.parameters.views, **net.buffers.views}


def digest_of(net: Network) -> str:
    """The SHA-256 of parameters and buffers (see `scratchnet.checkpoint.digest`)."""
    return digest(arrays_of(net))


def fact_from(text: str) -> Fact:
    """A value as `About.lines` shows it."""
    if text == "unknown":
        return None
    try:
        value: Fact = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if type(value) in (int, float, str) else text


def _checked(key: str, value: object) -> Fact:
    if not (key.isidentifier() and key.isascii() and len(key) <= 30) or key in ENDS:
        raise ExportError(
            "a fact's name is an identifier of at most 30 letters, and not 'parameters'", actual=repr(key)
        )
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is bool:
        return "yes" if value else "no"
    if type(value) is str:
        return _plain(value)
    if value is not None and type(value) not in (int, float):
        raise ExportError("a fact is a text, a number, yes or no, or None", where=key, actual=type(value).__name__)
    return value  # type: ignore[return-value]


def _plain(text: str) -> str:
    """One short printable line that ends no docstring or comment, in any target."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for old, new in (("\\", "/"), ('"', "'"), ("*/", "* /"), ("/*", "/ *"), ("-/", "- /"), ("/-", "/ -"), ("??", "?")):
        while old in text:
            text = text.replace(old, new)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _shown(value: Fact) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, str) and value and fact_from(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


ARCHITECTURE = "The architecture:"
COLUMNS = 112  # of the architecture's text, without its indent
ENDINGS = ('"""', "\\", "*/", "/*", "-/", "/-", "??")  # of a docstring or comment, in one target or another


def architecture_lines(net: Network) -> list[str]:
    """What `scratchnet.checkpoint.build` makes the network from, as JSON for a docstring or comment.

    Raises ExportError: a layer whose source would end it.
    """
    text = _description(net)
    if any(end in text for end in ENDINGS) or not text.isprintable():
        raise ExportError("an architecture that no comment holds", actual=text[:200])
    wrapped = textwrap.wrap(text, COLUMNS, break_long_words=False, break_on_hyphens=False)
    return [f"    {line}" for line in wrapped]


def metadata_of(net: Network, facts: Mapping[str, Fact] | None = None) -> dict[str, str]:
    """The metadata of a format that has texts by name: the lines of About, and the architecture."""
    lines = About.of(net, facts).lines
    return dict(line.split(": ", 1) for line in lines) | {"architecture": _description(net)}


def _description(net: Network) -> str:
    return json.dumps(describe(net), ensure_ascii=False, sort_keys=True)
