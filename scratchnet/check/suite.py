"""Every check of a layer by name, each in one form, for whoever runs them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.errors import ScratchnetError

from . import contract
from .errors import CheckError
from .layers import check_contract, check_layer_gradients, check_parity
from .report import Finding, Verdict
from .subjects.layer import LayerSubject

Seen = dict[str, bool]
"""By argument, whether it had a gradient in any case so far."""

Check = Callable[[Case, int, int, bool], Seen]
"""(case, seed, batch, training) -> what had a gradient. Raises CheckError."""


def awake_in(findings: Sequence[Finding]) -> Seen:
    """Which arguments had a gradient to check."""
    return {finding.argument: finding.verdict is not Verdict.VACUOUS for finding in findings}


def has_cpu_kernels(case: Case, training: bool) -> bool:
    """Whether any op that the layer calls runs on a cpu kernel. Taken for granted where the step cannot be recorded."""
    subject = LayerSubject(case, 0, batch=2, backend="cpu")
    try:
        plan = subject.net.record(2, training=training, need_dx=not subject.index, **subject.side)
    except ScratchnetError:
        return True
    return any(subject.net.backend.implements(call.op) for call in (*plan.forward, *plan.backward))


def _gradients(case: Case, seed: int, batch: int, training: bool) -> Seen:
    return awake_in(check_layer_gradients(case, seed, batch=batch, training=training))


def _repr(case: Case, seed: int, batch: int, training: bool) -> Seen:
    contract.check_repr(case)
    return {}


def _cpu_contract(case: Case, seed: int, batch: int, training: bool) -> Seen:
    check_contract(case, seed, batch=batch, training=training, backend="cpu")
    return {}


def _cpu_parity(case: Case, seed: int, batch: int, training: bool) -> Seen:
    check_parity(case, seed, batch=batch, training=training)
    return {}


def _promise(check: Callable[[LayerSubject, np.random.Generator], None]) -> Check:
    def run(case: Case, seed: int, batch: int, training: bool) -> Seen:
        subject = LayerSubject(case, seed, batch=batch)
        subject.training = training
        try:
            check(subject, np.random.default_rng([seed, 13]))
        except CheckError as error:
            error.where = f"{error.where}, {subject.where()}" if error.where else subject.where()
            raise
        return {}

    return run


CHECKS: dict[str, Check] = {
    "gradients": _gradients,
    **{check.__name__.removeprefix("check_"): _promise(check) for check in contract.CHECKS},
    "repr": _repr,
    "cpu_contract": _cpu_contract,
    "cpu_parity": _cpu_parity,
}
"""Gradients, the promises of contract.py, repr, and the cpu backend."""
