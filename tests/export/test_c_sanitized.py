"""Every layer's C under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from scratchnet import Network
from scratchnet.export import c

from .compiled import COMPILERS, apart, compiled, leaves, samples
from .test_c import LIMIT, cases_of_layers, network

SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def driver(nets: dict[str, Network]) -> str:
    """A program that reads one sample for each network from stdin, and writes all logits."""
    blocks = []
    for name, net in nets.items():
        inputs = leaves(net, samples(net, 1))
        kinds = ["int" if a.dtype.kind == "i" else "float" for a in inputs]
        parameters = ", ".join(f"const {kind} *" for kind in kinds)
        reads = [f"{kind} x{n}[{a.size}]; failed |= fread(x{n}, 4, {a.size}, stdin) != {a.size};"
                 for n, (kind, a) in enumerate(zip(kinds, inputs, strict=True))]  # fmt: skip
        out = int(np.prod(net.output_shape))
        call = f"{name}_logits({', '.join(f'x{n}' for n in range(len(inputs)))}, y);"
        blocks.append((
            f"void {name}_logits({parameters}, float *);",
            f"    {{ {' '.join(reads)} float y[{out}]; {call} fwrite(y, 4, {out}, stdout); }}",
        ))  # fmt: skip
    heads, bodies = zip(*blocks, strict=True)
    return "\n".join(
        ["#include <stdio.h>", *heads, "int main(void) { int failed = 0;", *bodies, "return failed; }", ""]
    )


@pytest.mark.skipif("gcc" not in COMPILERS, reason="runs where gcc is installed: apt-get install gcc")
def test_no_layer_reads_or_writes_where_it_must_not(tmp_path):
    cases = dict(cases_of_layers())
    nets = {name: network(case, "float32") for name, case in cases.items()}
    files = {f"{name}.c": c(net, prefix=name) for name, net in nets.items()}
    program = compiled(tmp_path, {**files, "main.c": driver(nets)}, "all", *SANITIZERS)
    inputs = {name: samples(net, 1, cases[name].index_below) for name, net in nets.items()}
    data = b"".join(a.tobytes() for name, net in nets.items() for a in leaves(net, inputs[name]))
    done = subprocess.run([program], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found = np.frombuffer(done.stdout, np.float32)
    for name, net in nets.items():
        wanted = net.predict(inputs[name])
        mine, found = found[: wanted.size].reshape(wanted.shape), found[wanted.size :]
        assert apart(mine, wanted) <= LIMIT["float32"], name
