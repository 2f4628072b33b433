"""The gradient of a whole network with its loss."""

from __future__ import annotations

import time
from collections.abc import Sequence

from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Array, Leaves

from .errors import CheckError
from .ladder import LADDER, climb
from .report import Fault, Report
from .subjects.network import NetworkSubject


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
        assert report, report

    The network is copied in float64 and stays as it is. What cannot be had of it (exact fractions where an exponential
    is met, 100 digits where it has more than a few thousand numbers) is reported as NOT RUN.

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
    began = time.perf_counter()
    title = f"network of {net.parameter_count:,} parameters with {loss!r}"
    subject = NetworkSubject(net, loss, x, targets, side, training=training)
    try:
        findings = climb(subject, rungs=rungs, most=most, seed=seed)
    except CheckError as error:
        return Report(title, faults=(Fault("protocol", str(error)),), seconds=time.perf_counter() - began)
    return Report(title, findings, seconds=time.perf_counter() - began)
