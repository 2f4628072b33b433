"""What calls the network: scratchnet_predict, and a program that classifies the samples of a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..about import About
from .body import RESULT
from .layout import size
from .text import SUFFIX, TYPES

if TYPE_CHECKING:
    from scratchnet.core.network import Network


def predict(signature: str, prefix: str, given: str, net: Network) -> list[str]:
    """The class with the greatest logit."""
    classes, real = size(net.output_shape), TYPES[net.dtype.name]
    return [
        signature,
        "{",
        f"    {real} {RESULT}[{classes}];",
        "    int best = 0;",
        f"    {prefix}_logits({given}, {RESULT});",
        f"    for (int i = 0; i < {classes}; i++) {{",
        f"        if ({RESULT}[i] != {RESULT}[i])",
        "            return -1;",
        f"        if ({RESULT}[i] > {RESULT}[best])",
        "            best = i;",
        "    }",
        "    return best;",
        "}",
    ]


def main(net: Network, prefix: str, about: About) -> list[str]:
    """A program, between #ifdef and #endif."""
    parts = Path(__file__).with_name("program")
    index, real = net.in_kind == "index", TYPES[net.dtype.name]
    scale = "1" if about.facts.get("pixels") == "raw" else f"1.0{SUFFIX[net.dtype.name]} / 255"
    count = size(net.input_shape)
    values = {
        "INPUTS": str(count),
        "PREFIX": prefix,
        "INPUT": "int" if index else real,
        "RAW": "int32_t" if index else "float",
        "CAST": "" if real == "float" or index else f"({real})",
        "VALUE": "number(type, b)" if index else "type == BYTES ? b[0] * SCRATCHNET_SCALE : number(type, b)",
        "HEADER": "NUMBERS" if index else "idx_header(file, &held)",
        "FILES": "of raw little-endian int32" if index else "IDX or raw little-endian float32",
        "SCALE": f"({scale})",
    }
    text = "\n".join((parts / name).read_text() for name in ("begin.c", *([] if index else ["idx.c"]), "end.c"))
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], text).splitlines()
