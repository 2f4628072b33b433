"""The gradient of a whole network with its loss."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Array, Leaves

from .attempt import LADDER
from .ladder import check_choices, climb, tied_together
from .layers import FLOATS
from .promises import largest, same
from .report import Fault, Finding, Report, Verdict
from .subjects.network import NetworkSubject

OWN_FLOATS = 1e-2
"""How far gradients in float32 may be from those in float64: what rounding leaves in a deep network, and no mistake."""


def check_network(
    net: Network,
    loss: Loss,
    x: Leaves,
    targets: Array,
    *,
    training: bool = True,
    most: int = 50,
    seed: int = 0,
    rungs: Sequence[str] = tuple(LADDER),
    **side: Array,
) -> Report:
    """Hold net.backward, from the loss down to x and every parameter, against the loss as a function of them.

        report = check_network(net, SoftmaxCrossEntropy(), x, labels)
        assert report, str(report)

    The network is copied in float64 and stays as it is: finite differences and the adjoint hold its own backend against
    its function, the stronger rungs the reference. The gradients in its own floats are then held against those, to one
    per cent, and the mode that was not asked for is looked at as well. What cannot be had (exact
    fractions where an exponential is met, 100 digits of more than a few thousand numbers) is reported as NOT RUN.

    Args:
        net: the network, with the parameters that it has now.
        loss: of its logits.
        x, targets: a batch; a handful of samples is enough.
        training: whether dropout and batch statistics are those of training.
        most: coordinates to probe one by one in each argument; random directions cover the others.
        seed: of the probes.
        rungs: which of the ladder to climb.
        side: side inputs by name, as for net.forward.

    Returns:
        A Report: true where every parameter and x were exercised and right.

    Raises:
        ShapeError, DtypeError, TargetError, ConfigError: where x, targets or side inputs do not fit.
    """
    check_choices(rungs, most, seed)
    began = time.perf_counter()
    title = f"network of {net.parameter_count:,} parameters with {loss!r}"
    logits, _ = net.forward(x, training=False, **side)
    loss.admit(logits, np.asarray(targets))  # what does not fit is refused here, and is no finding
    findings: list[Finding] = []
    try:
        subject = NetworkSubject(net, loss, x, targets, side, training=training)
        findings = climb(subject, rungs=rungs, most=most, seed=seed)
        faults = [*_promises(subject, net, findings), *tied_together(subject, seed)]
        if not any(finding.verdict is Verdict.FAIL for finding in findings):
            faults += _other_mode(NetworkSubject(net, loss, x, targets, side, training=not training), seed)
    except Exception as error:  # a layer or loss of the user's own may raise whatever it likes
        told = str(error) if isinstance(error, ScratchnetError) else f"{type(error).__name__}: {error}"
        faults = [Fault("protocol", told)]
    return Report(title, findings, faults, seconds=time.perf_counter() - began)


def _other_mode(subject: NetworkSubject, seed: int) -> list[Fault]:
    """What is wrong in the mode that was not asked for; nothing where this batch cannot be run in it."""
    try:
        subject.output()
    except ScratchnetError:  # one sample has no batch statistics, say
        return []
    mode = "training" if subject.training else "evaluation"
    wrong = [f for f in climb(subject, rungs=FLOATS, most=8, seed=seed) if f.verdict is Verdict.FAIL]
    return [Fault("mode swapped", f"in {mode} d{f.argument} is wrong: {f.proof}") for f in wrong]


def _promises(subject: NetworkSubject, net: Network, findings: Sequence[Finding]) -> Iterator[Fault]:
    """The backward gives the same again, is linear in its cotangent, and gives as much in the network's own floats."""
    dvalue = np.asarray(0.7)
    first, again, scaled = (subject.gradients(np.asarray(d)) for d in (dvalue, dvalue, -3 * dvalue))
    own = subject.in_floats_of(net).gradients(dvalue) if net.dtype != np.float64 else first
    passed = {finding.argument for finding in findings if finding.verdict is Verdict.PASS}
    for name, g in first.items():
        if not np.array_equal(again[name], g):
            yield Fault("state left over", f"d{name}: a second pass over one batch gives another gradient")
        size = float(np.abs(g).max(initial=0.0))
        if not same(scaled[name], -3 * g, largest(first)):
            yield Fault("not linear", f"d{name}: three times the upstream gradient does not give three times as much")
        error = float(np.abs(own[name] - g).max(initial=0.0))
        if name in passed and not error <= OWN_FLOATS * size:
            text = f"d{name} in {net.dtype} on {net.backend.name} is off by {error / size:.1e} of its largest entry"
            yield Fault("protocol", f"{text}; in float64 it is right")
