"""A network as the text of one Python module."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from scratchnet.core.types import Array

from ..about import About, Fact, architecture_lines
from ..errors import ExportError
from ..saving import save
from .lesson import training
from .lines import exploded
from .model import Part, evaluation, stored_names
from .numbers import literal, packed
from .text import imports, needed, source_of

if TYPE_CHECKING:
    from scratchnet.core.network import Network

Style = Literal["literal", "packed"]

FIRST = '"""A network that was trained with scratchnet, as a module that needs NumPy alone.'
CALLS = "logits(x), predict_proba(x) and predict(x) take a batch as in training; uint8 where floats are due are pixels."
RUNS = "Run with the name of an IDX, NPY or PNG file, it classifies what the file holds."
ARCHITECTURE = "The architecture, which scratchnet.export.load_source reads:"
SEAL = "SHA-256 of the lines above: "
FENCE = "# The numbers: what training found."


@dataclass(frozen=True)
class Frame:
    """An emitted module without its numbers.

    Attributes:
        head: the lines before the numbers.
        tail: the lines after them.
        names: the identifiers of parameters and buffers by their names in the network.
    """

    head: list[str]
    tail: list[str]
    names: dict[str, str]


def python(
    net: Network,
    path: str | Path | None = None,
    *,
    style: Style = "literal",
    with_backward: bool = False,
    facts: Mapping[str, Fact] | None = None,
    nonfinite: bool = False,
) -> str:
    """The network as one Python module that needs NumPy alone; written to `path`, if one is given.

    The module has `logits(x)`, `predict_proba(x)`, `predict(x)`, and classifies a file when it is run. The same network
    and facts give the same bytes.

    Args:
        net: the network.
        path: where to write it; a file that is there is replaced in one step.
        style: "literal", every number the shortest decimal that gives its bits; "packed", compressed text.
        with_backward: also the forward of training, the backward, `sgd_step` and `gradcheck()`.
        facts: what is known of the training, for the docstring (see `scratchnet.export.about`). "pixels": "raw" says
            that pixels were not divided by 255.
        nonfinite: write NaN and infinity as they are, to look at what went wrong; packed only.

    Raises:
        ExportError: for an op that has no Python form, numbers that are not finite, unless asked, and a path that
            cannot be written.
    """
    if style not in ("literal", "packed"):
        raise ExportError("an unknown style", expected="literal or packed", actual=repr(style))
    about = About.of(net, facts)
    frame = frame_of(net, about, style, with_backward)
    write = literal if style == "literal" else packed
    lines = [*frame.head]
    for name, array in stored(net, nonfinite and style == "packed").items():
        lines += write(frame.names[name], array)
    text = "\n".join([*lines, *frame.tail]) + "\n"
    if path is not None:
        save(text.encode(), path)
    return text


def stored(net: Network, nonfinite: bool) -> dict[str, Array]:
    """The arrays to write: parameters and buffers, tied ones once.

    Raises:
        ExportError: for one that is not finite, unless asked, or neither float32 nor float64.
    """
    found = {}
    for store in (net.parameters, net.buffers):
        for name in store.segments:
            found[name] = store.views[name]
            if found[name].dtype.name not in ("float32", "float64"):
                raise ExportError("Python source holds float32 and float64", where=name, actual=found[name].dtype)
            if not (nonfinite or np.isfinite(found[name]).all()):
                hint = 'style="packed", nonfinite=True writes it as it is'
                raise ExportError("a number is not finite", where=name, hint=hint)
    return found


def frame_of(net: Network, about: About, style: Style, with_backward: bool) -> Frame:
    """All but the numbers."""
    names = stored_names([*net.parameters.segments, *net.buffers.segments])
    single = not isinstance(net.in_kind, tuple)
    parts = [evaluation(net, names, about.facts)]
    parts += [training(net, names)] if with_backward else []
    parts += [Part([MAIN], ["read"])] if single else []
    used = [name for part in parts for name in part.used] + (["unpack"] if style == "packed" else [])
    library = [source_of(name)[0] for name in needed(used)]
    texts = [*parts[0].texts, *library, *(text for part in parts[1:] for text in part.texts)]
    head = [*docstring(net, about, style, with_backward), "", *imports(texts)]
    for text in texts:
        head += ["", "", *text.split("\n")]
    head += ["", "", FENCE, ""]
    return Frame(head, _tail(net, names, with_backward, single), names)


def _tail(net: Network, names: Mapping[str, str], with_backward: bool, single: bool) -> list[str]:
    tail = []
    if with_backward:
        for title, store in (("PARAMETERS", net.parameters), ("BUFFERS", net.buffers)):
            if store.segments:
                items = [f'"{names[name]}": {names[name]}' for name in store.segments]
                tail += ["", *exploded(f"{title} = {{", items, "}", indent=0)]
    return [*tail, *(["", 'if __name__ == "__main__":', "    main()"] if single else [])]


def docstring(net: Network, about: About, style: Style, with_backward: bool) -> list[str]:
    """What the module is, and all that is needed to make the network anew."""
    lines = [
        FIRST,
        "",
        CALLS,
        *([] if isinstance(net.in_kind, tuple) else [RUNS]),
        "",
        *about.lines,
        f"style: {style}",
        f"backward: {'yes' if with_backward else 'no'}",
    ]
    lines += ["", ARCHITECTURE, "", *architecture_lines(net), ""]
    text = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return [*lines, f"{SEAL}{text}", '"""']


MAIN = '''def main() -> None:
    """Classify what a file holds."""
    parser = argparse.ArgumentParser(description="Classify the pictures of a file: number, class, probability.")
    parser.add_argument("file", help="an IDX (also .gz), NPY or PNG file")
    path = parser.parse_args().file
    try:
        x = read(path)
        for start in range(0, len(x), 1000):
            proba = predict_proba(x[start : start + 1000])
            for number, (row, label) in enumerate(zip(proba, predict(x[start : start + 1000]), strict=True), start):
                print(number, label if label.ndim else int(label), f"{row.max():.4f}")
    except BrokenPipeError:
        sys.stderr.close()  # whoever reads has heard enough, and the interpreter need not say so
    except (OSError, ValueError, TypeError, IndexError, EOFError, zlib.error) as error:
        raise SystemExit(f"{path}: {error}") from None'''
