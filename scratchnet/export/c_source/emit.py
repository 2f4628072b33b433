"""A network as the text of one C99 file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.core.types import Array, named_leaves

from ..about import ARCHITECTURE, About, Fact, architecture_lines
from ..errors import ExportError
from ..saving import save
from ..trace import graph_of
from .body import RESULT, Body
from .layout import size
from .program import main, predict
from .text import TYPES, array, functions, identifier, needed, widened

if TYPE_CHECKING:
    from scratchnet.core.network import Network

FIRST = "/* A network that was trained with scratchnet, as one C99 file that needs the C library alone."
FENCE = "/* The numbers: what training found. */"
AFTER = "/* The functions that the network is made of. */"
PREFIX = "scratchnet"

KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
main memcpy number sample refuse classify idx_header j0 j1 jn y0 y1 yn gamma lgamma"""


def c(
    net: Network,
    path: str | Path | None = None,
    *,
    facts: Mapping[str, Fact] | None = None,
    prefix: str = PREFIX,
) -> str:
    """The network as one C99 file; written to `path`, if one is given. The same network and facts give the same bytes.

        int scratchnet_predict(const float *x);                  the class with the greatest logit
        void scratchnet_logits(const float *x, float *logits);   one sample

    Both can run in several threads at once, and take memory from the stack alone. With SCRATCHNET_MAIN defined it is a
    program that classifies the samples of a file. A network of float64 is one of doubles; indices are ints.

    Args:
        net: the network.
        path: where to write it; a file that is there is replaced in one step.
        facts: what is known of the training, for the comment at the top (see `scratchnet.export.about`). "pixels":
            "raw" says that pixels were not divided by 255.
        prefix: of both functions' names, so that two networks fit into one program.

    Raises:
        ExportError: for an op that C has no form of here, an element type that is neither float32 nor float64, numbers
            that are not finite, and a path that cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", prefix):
        raise ExportError("a prefix is a C identifier", actual=repr(prefix))
    arrays = stored(net)
    about = About.of(net, facts)
    graph = graph_of(net)
    taken = {*KEYWORDS.split(), *functions(), RESULT, *(f"h{n}" for n in range(1, 10 * len(graph.nodes) + 10))}
    inputs = {name: identifier(name, taken) for name in _inputs(net)}
    names = {name: identifier(name, taken) for name in arrays}
    body = Body(net, graph, {**inputs, **names})
    real = TYPES[net.dtype.name]
    kinds = {name: "int" if graph.values[name].dtype.startswith("int") else real for name in inputs}
    given = ", ".join(f"const {kinds[name]} *{inputs[name]}" for name in inputs)
    signatures = [f"void {prefix}_logits({given}, {real} *{RESULT})"]
    if len(net.output_shape) == 1:
        signatures.insert(0, f"int {prefix}_predict({given})")
    text = [*_head(net, about, body, signatures), *("", "#include <math.h>", "#include <stddef.h>", "")]
    text += [*(f"{signature};" for signature in signatures), "", FENCE]
    for name, values in arrays.items():
        text += array(name, names[name], values)
    for name, other in sorted(net.parameters.ties.items()):
        text += ["", f"/* {name} is {other} */"]
    text += ["", AFTER]
    for function in needed(body.used):
        text += ["", *widened(functions()[function], net.dtype.name).splitlines()]
    unread = [f"    (void){names[name]};" for name in names if name not in graph.values]
    declared = [f"    {real} {name}[{count}];" for name, count in body.slots.sizes.items()]
    text += ["", signatures[-1], "{", *declared, *unread, *body.lines, "}"]
    if len(signatures) > 1:
        text += ["", *predict(signatures[0], prefix, ", ".join(inputs.values()), net)]
        if len(inputs) == 1:
            text += ["", *main(net, prefix, about)]
    whole = "\n".join(text) + "\n"
    if path is not None:
        save(whole.encode(), path)
    return whole


def stored(net: Network) -> dict[str, Array]:
    """Parameters and buffers by name, tied ones once.

    Raises:
        ExportError: for one that is not finite, or neither float32 nor float64.
    """
    if net.dtype.name not in TYPES:
        raise ExportError("C source holds float32 and float64", where="the network's dtype", actual=net.dtype)
    found = {name: store.views[name] for store in (net.parameters, net.buffers) for name in store.segments}
    for name, values in found.items():
        if not re.fullmatch(r"[\w.]+", name, re.A):
            raise ExportError("a name that no comment in C holds", actual=repr(name))
        if not np.isfinite(values).all():
            hint = "train anew, or keep the network as a checkpoint"
            raise ExportError("a number is not finite", where=name, hint=hint)
    return found


def _inputs(net: Network) -> list[str]:
    return [name.removeprefix("x.") for name in named_leaves("x", net.input_shape)]


def _head(net: Network, about: About, body: Body, signatures: list[str]) -> list[str]:
    real = TYPES[net.dtype.name]
    stack = (sum(body.slots.sizes.values()) + size(net.output_shape)) * net.dtype.itemsize
    lines = [*about.lines, "", ARCHITECTURE, "", *architecture_lines(net), ""]
    for name, shape in named_leaves("x", net.input_shape).items():
        lines.append(f"{name.removeprefix('x.')}: {_extents(shape)}")
    lines += [f"{RESULT}: {_extents(net.output_shape)}, {real}; they must not lie where an input does", ""]
    lines += [f"    {signature};" for signature in signatures]
    predict = ["predict gives the place of the greatest logit, the first of several, and -1 where one is not a number."]
    lines += ["", *(predict if len(signatures) > 1 else [])]
    lines += [
        "Arrays lie row by row (C order), one sample a call. Nothing static is written, so threads may call at once,",
        f"and nothing is allocated: the arrays of a call take {stack} bytes of the stack.",
        "",
        "    cc -std=c99 -O3 -c FILE.c                           to link with a program, and with -lm",
        "    cc -std=c99 -O3 -DSCRATCHNET_MAIN FILE.c -o classify -lm && ./classify SAMPLES",
    ]
    if len(signatures) == 1 or len(_inputs(net)) > 1:
        lines.pop()
    return [FIRST, *(f"   {line}".rstrip() for line in ["", *lines]), "*/"]


def _extents(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"
