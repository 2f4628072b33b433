"""Layer and loss classes under cases that they draw themselves: what `scratchnet check --all` walks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS, Layer
from scratchnet.core.loss import LOSSES, Loss

from .attempt import LADDER
from .ladder import merge
from .layers import FLOATS, check_case
from .losses import check_loss
from .report import Fault, Report

CASES = 12
"""Cases drawn for a layer or loss."""

DEAR = 3
"""Every so many are also put on fractions and on 100 digits, with a batch of two; more if that left an argument out."""

STRONGEST = ("exact", "high precision")
"""The rungs on Python numbers."""


def check_registry(seed: int = 0) -> Iterator[Report]:
    """Every layer and every loss that is known, one report each."""
    import scratchnet.layers
    import scratchnet.losses  # noqa: F401  (both fill the registries)

    for _, cls in sorted(LAYERS.items()):
        yield check_layer_class(cls, seed)
    for _, loss in sorted(LOSSES.items()):
        yield check_loss_class(loss, seed)


def check_layer_class(cls: type[Layer], seed: int = 0, cases: int = CASES) -> Report:
    """Gradient and contract of a layer under drawn cases, in training and not; stops at the first case that fails."""

    def check(number: int, rungs: Sequence[str]) -> Report:
        draw_seed = seed * cases + number
        case = cls.cases(RandomDraw(np.random.default_rng([draw_seed, 19])))
        return check_case(case, draw_seed, batch=2 if number % DEAR == 0 else 3, training=number % 4 != 3, rungs=rungs)

    return _together(cls.__name__, check, cases)


def check_loss_class(cls: type[Loss], seed: int = 0, cases: int = CASES) -> Report:
    """The same for a loss."""

    def check(number: int, rungs: Sequence[str]) -> Report:
        draw_seed = seed * cases + number
        return check_loss(cls.cases(RandomDraw(np.random.default_rng([draw_seed, 23]))), draw_seed, rungs=rungs)

    return _together(cls.__name__, check, cases)


def _together(name: str, check: Callable[[int, Sequence[str]], Report], cases: int) -> Report:
    began = time.perf_counter()
    findings: list[Any] = []
    proven: set[str] = set()  # arguments that have been put on Python numbers, and were exercised there
    for number in range(cases):
        try:
            report = check(number, FLOATS if number % DEAR else tuple(LADDER))
            if number % DEAR and not {finding.argument for finding in report.findings} <= proven:
                report = check(number, tuple(LADDER))
            proven |= {finding.argument for finding in report.findings if finding.rung in STRONGEST}
        except Exception as error:  # a class of the user's own may raise whatever it likes, in `cases` as well
            return Report(name, faults=(Fault("protocol", f"case {number} raises {type(error).__name__}: {error}"),))
        findings.append(report.findings)
        if report.verdict.value == "FAIL":
            return Report(name, report.findings, report.faults, report.notes, number + 1, time.perf_counter() - began)
    return Report(name, merge(findings), cases=cases, seconds=time.perf_counter() - began)
