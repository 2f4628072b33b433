"""All checks of a loss under one case."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from scratchnet.core.loss import LOSSES, LossCase
from scratchnet.core.types import Array

from .attempt import LADDER
from .errors import CheckError, compare, identical
from .ladder import climb
from .layouts import lay_out
from .report import Fault, Finding, Report
from .subjects.loss import LossSubject, draw_targets
from .tolerances import rounding


def check_loss(case: LossCase, seed: int, *, rungs: Sequence[str] = tuple(LADDER), most: int = 40) -> Report:
    """The gradient by every rung, linearity in dvalue, no mutation, layouts, parity of the backends, repr."""
    began = time.perf_counter()
    rng = np.random.default_rng([seed, 17])
    logits = rng.normal(size=case.shape) * rng.choice([2, 2, 50, 3000])  # some past where an exponential overflows
    targets = draw_targets(case, logits, rng)
    findings: list[Finding] = []
    faults: list[Fault] = []
    try:
        findings = climb(LossSubject(case.loss, logits.copy(), targets), rungs=rungs, most=most, seed=seed)
        for backend in ("reference", "cpu"):
            _check_contract(case, logits, targets, backend)
        _check_parity(case, logits, targets)
    except CheckError as error:  # what the ladder has found stays: a wrong gradient may break promises besides
        error.where = f"{error.where or ''} {case}".strip()
        faults.append(Fault("mutation" if "mutation" in str(error) else "protocol", str(error)))
    except Exception as error:  # a loss of the user's own may raise whatever it likes
        faults.append(Fault("protocol", f"{type(error).__name__}: {error}, {case}"))
    return Report(type(case.loss).__name__, findings, faults, seconds=time.perf_counter() - began)


def _check_parity(case: LossCase, logits: Array, targets: Array) -> None:
    """The cpu backend against the reference in float64."""
    for dtype in ("float32", "float64"):
        z = logits.astype(dtype)
        t = targets.astype(dtype) if targets.dtype.kind == "f" else targets
        wide_t = t.astype(np.float64) if targets.dtype.kind == "f" else t
        fast = LossSubject(case.loss, z, t, backend="cpu").run(-1.7)
        slow = LossSubject(case.loss, z.astype(float), wide_t).run(-1.7)
        for name, actual, expected in zip(("value", "dlogits"), fast, slow, strict=True):
            if actual.dtype != z.dtype:
                raise CheckError(f"{name} changed its element type", actual=actual.dtype)
            what = f"cpu in {dtype} differs from the reference in float64"
            compare(what, name, actual.astype(float), expected, rounding(dtype))


def _check_contract(case: LossCase, logits: Array, targets: Array, backend: str) -> None:
    if eval(repr(case.loss), dict(LOSSES) | {type(case.loss).__name__: type(case.loss)}) != case.loss:
        raise CheckError("eval(repr(loss)) is another loss", actual=repr(case.loss))
    z, t = logits.copy(), targets.copy()
    subject = LossSubject(case.loss, z, t, backend=backend)
    value, dz = subject.run()
    identical("mutation", "logits", z, logits)
    identical("mutation", "targets", t, targets)
    if value.shape != () or dz.shape != z.shape:
        raise CheckError("wrong shapes of (value, dlogits)", expected=((), z.shape), actual=(value.shape, dz.shape))
    scaled = subject.run(-2.5)[1]
    compare("dlogits is not linear in dvalue", "dlogits", scaled, -2.5 * dz, rounding(np.float64))
    for layout in ("F", "strided", "reversed"):
        again, d = LossSubject(case.loss, lay_out(z, layout), t, backend=backend).run()
        compare("layout of the logits", "value", again, value, rounding(np.float64))
        compare("layout of the logits", "dlogits", d, dz, rounding(np.float64))
