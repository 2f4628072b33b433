"""All checks of a layer under one case."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.types import Array

from .contract import CHECKS, check_repr
from .errors import CheckError, compare
from .gradient import check_complex_step, check_finite_differences
from .numbers import digits, floats, fractions
from .subject import Subject
from .tolerances import rounding

METHODS = {
    "complex step": ("complex128", check_complex_step),
    "finite differences": ("float64", check_finite_differences),
}
"""What a layer's gradient is held against, and the element type for it."""


def check_layer_gradients(
    case: Case, seed: int, *, batch: int = 3, training: bool = True, methods: Iterable[str] = tuple(METHODS)
) -> dict[str, float]:
    """Complex steps and finite differences, by x and every parameter, under several cotangents.

    Returns:
        The largest analytic entry seen, by argument: 0 says that nothing was exercised.

    Raises:
        CheckError: naming the layer, the argument, the coordinate, and by how much it is off.
    """
    seen: dict[str, float] = {}
    for dtype, against in (METHODS[method] for method in methods):
        rng = np.random.default_rng([seed, 11])
        subject = Subject(case, seed, batch=batch, dtype=dtype)
        subject.training = training
        for _ in range(2):
            subject.dy = rng.normal(size=subject.dy.shape).astype(dtype)
            result = subject.run()
            if result.dx is None and not subject.index:
                raise CheckError("backward returned no dx though run.need_dx is true", where=subject.where())
            gradients = dict(result.g) | ({"x": result.dx} if result.dx is not None else {})
            for name, argument in subject.arguments().items():
                try:
                    size = against(subject.output, {name: argument}, gradients, subject.dy, rng)
                except CheckError as error:
                    error.where = f"{error.where}, {subject.where()}"
                    raise
                seen[name] = max(seen.get(name, 0.0), size)
    return seen


def check_contract(case: Case, seed: int, *, batch: int = 3, training: bool = True, backend: str = "reference") -> None:
    """Every promise in contract.py, on one backend."""
    check_repr(case)
    for check in CHECKS:
        subject = Subject(case, seed, batch=batch, backend=backend)
        subject.training = training
        try:
            check(subject, np.random.default_rng([seed, 13]))
        except CheckError as error:
            error.where = f"{error.where or ''} {check.__name__}, {subject.where()}".strip()
            raise


def check_parity(case: Case, seed: int, *, batch: int = 3, training: bool = True, backend: str = "cpu") -> None:
    """A backend against the reference: float64, and float32 against the reference in float64 on the same numbers."""
    for dtype in ("float32", "float64"):
        fast = Subject(case, seed, batch=batch, backend=backend, dtype=dtype)
        slow = Subject(case, seed, batch=batch, dtype="float64")
        for subject in (fast, slow):
            subject.training = training
        slow.net.parameters.load(fast.net.parameters.views)
        slow.net.buffers.load(fast.net.buffers.views)
        x = fast.x if slow.index else fast.x.astype(np.float64)
        expected = slow.run(x, fast.dy.astype(np.float64)).arrays()
        for name, actual in fast.run().arrays().items():
            try:
                what = f"{backend} in {dtype} differs from the reference in float64"
                compare(what, name, _wide(actual), expected[name], rounding(dtype))
            except CheckError as error:
                error.where = f"{error.where}, {fast.where()}"
                raise


def check_objects(case: Case, seed: int, kind: str, *, batch: int = 2, training: bool = True) -> None:
    """The reference on "digits" or "fractions" gives what it gives on float64, and no float slips in."""
    convert = {"digits": digits, "fractions": fractions}[kind]
    plain = Subject(case, seed, batch=batch)
    exact = Subject(case, seed, batch=batch, dtype=object)
    plain.training = exact.training = training
    for store in (exact.net.parameters, exact.net.buffers):
        store.flat[...] = convert(store.flat)
    exact.x = exact.x if exact.index else convert(plain.x)
    exact.dy = convert(plain.dy)
    expected = plain.run().arrays()
    for name, actual in exact.run().arrays().items():
        if any(isinstance(element, float | np.floating) for element in actual.flat):
            raise CheckError(f"{name} of {kind} turned into floats", where=exact.where())
        compare(
            f"the reference on {kind} differs from float64", name, floats(actual), expected[name], rounding(np.float64)
        )


def _wide(array: Array) -> Array:
    return array.astype(np.float64)
