"""All checks of a loss under one case."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.loss import LOSSES, LossCase
from scratchnet.core.run import Pool, Run
from scratchnet.core.types import Array
from scratchnet_kernels import get_backend

from .errors import CheckError, compare, identical
from .gradient import check_complex_step, check_finite_differences
from .tolerances import rounding


def draw_targets(case: LossCase, logits: Array, rng: np.random.Generator) -> Array:
    """Targets in the form that the case names."""
    if case.targets == "index":
        t = rng.integers(0, case.classes, case.shape[:1])
        ignored = getattr(case.loss, "ignore_index", None)
        if (t == ignored).all():  # which has no mean
            t[0] = (t[0] + 1) % case.classes
        return t
    if case.targets == "probabilities":
        p = rng.random(case.shape) + 0.05
        return np.asarray(p / p.sum(axis=1, keepdims=True))
    if case.targets == "unit":
        return rng.random(case.shape)
    if case.targets == "ties":  # equal to some of the logits, and at distance 1 from others
        return logits.real + rng.integers(-1, 2, case.shape)
    return rng.normal(size=case.shape)


def evaluate(case: LossCase, logits: Array, targets: Array, dvalue: float, backend: str = "reference") -> Any:
    """(value, dlogits) on a backend."""
    run = Run(Pool(), training=False, count=np.zeros(1, np.int64))
    k = get_backend(backend).table()
    value, saved = case.loss.forward(k, logits, case.loss.admit(logits, targets), run)
    return value.copy(), case.loss.backward(k, saved, np.asarray(dvalue), run)


def check_loss(case: LossCase, seed: int) -> float:
    """Gradient, linearity in dvalue, no mutation, layouts, parity of the backends, repr. Returns the largest entry."""
    rng = np.random.default_rng([seed, 17])
    logits = rng.normal(size=case.shape) * 2
    targets = draw_targets(case, logits, rng)
    seen, dvalue = 0.0, -1.7
    for dtype, against in (("complex128", check_complex_step), ("float64", check_finite_differences)):
        z = logits.astype(dtype)
        t = targets.astype(dtype) if targets.dtype.kind == "f" else targets
        _, dz = evaluate(case, z, t, dvalue)
        cotangent = np.array([dvalue], dtype)

        def value(z: Array = z, t: Array = t) -> Array:
            return np.asarray(evaluate(case, z, t, 1.0)[0]).reshape(1)

        try:
            seen = max(seen, against(value, {"z": z}, {"z": dz}, cotangent, rng))
        except CheckError as error:
            error.where = f"{error.where}, {case}"
            raise
    for backend in ("reference", "cpu"):
        _check_contract(case, logits, targets, backend)
    for dtype in ("float32", "float64"):
        z = logits.astype(dtype)
        t = targets.astype(dtype) if targets.dtype.kind == "f" else targets
        wide_t = t.astype(np.float64) if targets.dtype.kind == "f" else t
        fast = evaluate(case, z, t, dvalue, "cpu")
        slow = evaluate(case, z.astype(float), wide_t, dvalue)
        for name, actual, expected in zip(("value", "dz"), fast, slow, strict=True):
            if actual.dtype != z.dtype:
                raise CheckError(f"{name} changed its element type", where=str(case), actual=actual.dtype)
            what = f"cpu in {dtype} differs from the reference in float64"
            compare(what, f"{name} of {case}", actual.astype(float), expected, rounding(dtype))
    return seen


def _check_contract(case: LossCase, logits: Array, targets: Array, backend: str) -> None:
    if eval(repr(case.loss), dict(LOSSES) | {type(case.loss).__name__: type(case.loss)}) != case.loss:
        raise CheckError("eval(repr(loss)) is another loss", actual=repr(case.loss))
    z, t = logits.copy(), targets.copy()
    value, dz = evaluate(case, z, t, 1.0, backend)
    identical("mutation", "logits", z, logits)
    identical("mutation", "targets", t, targets)
    if value.shape != () or dz.shape != z.shape:
        raise CheckError("wrong shapes of (value, dz)", expected=((), z.shape), actual=(value.shape, dz.shape))
    scaled = evaluate(case, z, t, -2.5, backend)[1]
    compare("dz is not linear in dvalue", "dz", scaled, -2.5 * dz, rounding(np.float64))
    wide = np.full((*z.shape[:-1], 2 * z.shape[-1]), 99.0)
    wide[..., ::2] = z
    for layout in (np.asfortranarray(z), wide[..., ::2], np.ascontiguousarray(z[::-1])[::-1]):
        again, d = evaluate(case, layout, t, 1.0, backend)
        compare("layout of the logits", "value", np.asarray(again), np.asarray(value), rounding(np.float64))
        compare("layout of the logits", "dz", d, dz, rounding(np.float64))
