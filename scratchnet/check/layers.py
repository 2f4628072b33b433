"""All checks of a layer under one case."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from scratchnet.core.case import Case, RandomDraw, Values
from scratchnet.core.composite import Composite
from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import Layer
from scratchnet.core.types import Array, Leaves, map_leaves

from .attempt import LADDER
from .contract import CHECKS, KINDS, check_repr
from .errors import CheckError, compare
from .ladder import check_choices, climb, tied_together
from .numbers import floats, rounded
from .report import Fault, Finding, Report, Verdict
from .subjects.layer import LayerSubject
from .tolerances import FLOOR, rounding

FLOATS = ("complex step", "finite differences")
"""The rungs that are climbed on drawn cases, of which there are many; the others are dearer and need fewer."""


def check_layer(
    layer: Layer,
    in_shape: Leaves,
    *,
    values: Values | None = None,
    batch: int = 3,
    training: bool = True,
    seed: int = 0,
    most: int = 100,
    rungs: Sequence[str] = tuple(LADDER),
    index_below: int | None = None,
    mixes_batch: bool | None = None,
    random: bool | None = None,
) -> Report:
    """Hold one layer's backward against its forward, and the layer against the contract.

        report = check_layer(Dense(3), (4,))
        assert report, str(report)

    Args:
        layer: with its settings.
        in_shape: of one sample, or a NamedTuple of shapes.
        values, index_below, mixes_batch, random: as in Case: how x is drawn, and what the layer may do. What is left
            out is what the layer, and those inside it, say in the cases that they draw of themselves.
        batch: samples in x.
        training: whether it is a training forward.
        seed: of every draw.
        most: coordinates to probe one by one in each argument.
        rungs: which of the ladder to climb.

    Returns:
        A Report: true where x and every parameter were exercised and right, and every promise is kept.

    Raises:
        ShapeError, ConfigError: where the layer does not take this shape.
    """
    check_choices(rungs, most, seed)
    known = _traits(layer)
    case = Case(
        layer,
        in_shape,
        ("index" if layer.in_kind == "index" else "normal") if values is None else values,
        known["count"] if index_below is None else index_below,
        bool(known["mixes_batch"]) if mixes_batch is None else mixes_batch,
        bool(known["random"]) if random is None else random,
    )
    return check_case(case, seed, batch=batch, training=training, most=most, rungs=rungs)


def _traits(layer: Layer) -> dict[str, int]:
    """What a layer, or any inside it, says of itself in a few drawn cases; `count` bounds its indices."""
    inside = [child for _, child in layer.children()] if isinstance(layer, Composite) else []
    if inside:
        found = [_traits(child) for child in inside]
        return {name: max(traits[name] for traits in found) for name in found[0]}
    try:
        drawn = [type(layer).cases(RandomDraw(np.random.default_rng(seed))) for seed in range(8)]
    except Exception:  # a layer of the user's own need not draw any
        drawn = []
    said = {name: int(any(getattr(case, name) for case in drawn)) for name in ("mixes_batch", "random")}
    return said | {"count": int(getattr(layer, "count", 0))}


def check_case(
    case: Case,
    seed: int,
    *,
    batch: int = 3,
    training: bool = True,
    most: int = 40,
    rungs: Sequence[str] = tuple(LADDER),
) -> Report:
    """A layer under one case: every rung by every argument, every promise of the contract, and the cpu kernels.

    The rungs are climbed on the reference; the kernels are held against it in float32 and float64.
    """
    began = time.perf_counter()
    name = type(case.layer).__name__
    findings: list[Finding] = []
    faults: list[Fault] = []
    notes: list[str] = []
    try:
        subject = LayerSubject(case, seed, batch=batch)
        subject.training = training
        findings = climb(subject, rungs=rungs, most=most, seed=seed)
        faults += tied_together(subject, seed)
    except Exception as error:  # a layer of the user's own may raise whatever it likes; a CheckError says where
        faults.append(Fault("protocol", _told(error)))
    faults += broken_contract(case, seed, batch=batch, training=training)
    if faults or any(finding.verdict is Verdict.FAIL for finding in findings):
        notes.append(f"the case: {case}, batch {batch}, training={training}, seed {seed}")
    return Report(name, findings, faults, notes, seconds=time.perf_counter() - began)


def broken_contract(
    case: Case, seed: int, *, batch: int = 3, training: bool = True, backend: str = "reference"
) -> list[Fault]:
    """The promises of contract.py that do not hold."""
    promises = dict(_contract(case, seed, batch, training, backend))
    if not case.mixes_batch or batch > 1:
        promises["check_parity"] = partial(check_parity, case, seed, batch=batch, training=training)
    faults = []
    for name, check in promises.items():
        try:
            check()
        except Exception as error:  # a layer of the user's own may raise whatever it likes
            faults.append(Fault(KINDS.get(name, "protocol"), f"{name}: {_told(error)}"))
    return faults


def _contract(
    case: Case, seed: int, batch: int, training: bool, backend: str
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Every promise of contract.py by name, each to be held on a subject of its own."""
    yield "check_repr", partial(check_repr, case)
    for check in CHECKS:

        def hold(check: Any = check) -> None:
            subject = LayerSubject(case, seed, batch=batch, backend=backend)
            subject.training = training
            try:
                check(subject, np.random.default_rng([seed, 13]))
            except CheckError as error:
                error.where = f"{error.where or ''} {check.__name__}, {subject.where()}".strip()
                raise

        yield check.__name__, hold


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ScratchnetError) else f"{type(error).__name__}: {error}"


def check_layer_gradients(
    case: Case, seed: int, *, batch: int = 3, training: bool = True, rungs: Sequence[str] = FLOATS, most: int = 40
) -> list[Finding]:
    """The findings by x and every parameter.

    Raises:
        CheckError: naming the layer, the argument, the coordinates, by how much they are off, and the likely mistake.
    """
    subject = LayerSubject(case, seed, batch=batch)
    subject.training = training
    findings = climb(subject, rungs=rungs, most=most, seed=seed)
    wrong = [str(finding) for finding in findings if finding.verdict is Verdict.FAIL]
    if wrong:
        raise CheckError("the gradient is wrong", where=subject.where(), actual="\n".join(wrong))
    return findings


def check_contract(case: Case, seed: int, *, batch: int = 3, training: bool = True, backend: str = "reference") -> None:
    """Every promise in contract.py, on one backend. Raises CheckError."""
    for _, check in _contract(case, seed, batch, training, backend):
        check()


def check_parity(case: Case, seed: int, *, batch: int = 3, training: bool = True, backend: str = "cpu") -> None:
    """A backend against the reference: float64, and float32 against the reference in float64 on the same numbers."""
    for dtype in ("float32", "float64"):
        fast = LayerSubject(case, seed, batch=batch, backend=backend, dtype=dtype)
        slow = LayerSubject(case, seed, batch=batch, dtype="float64")
        for subject in (fast, slow):
            subject.training = training
        slow.net.parameters.load(fast.net.parameters.views)
        slow.net.buffers.load(fast.net.buffers.views)
        slow.side = {name: a.astype(np.float64) if a.dtype.kind == "f" else a for name, a in fast.side.items()}
        x = map_leaves(lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a, fast.x)
        largest = max(1.0, float(np.abs(fast.dy).max(initial=0.0)))
        expected = slow.run(x, fast.dy.astype(np.float64)).arrays()
        for name, actual in fast.run().arrays().items():
            try:
                what = f"{backend} in {dtype} differs from the reference in float64"
                compare(what, name, _wide(actual), expected[name], rounding(dtype), FLOOR * largest)
            except CheckError as error:
                error.where = f"{error.where}, {fast.where()}"
                raise


def check_objects(case: Case, seed: int, kind: str, *, batch: int = 2, training: bool = True) -> None:
    """The reference on "digits" or "fractions" gives what it gives on float64, and no float slips in.

    Raises NotRun where fractions meet a root or an exponential.
    """
    plain = LayerSubject(case, seed, batch=batch)
    plain.training = training
    exact = plain.on(kind)  # type: ignore[arg-type]
    exact.gradients(exact.dy)  # which says what fractions cannot do
    expected = plain.run().arrays()
    for name, actual in exact.run().arrays().items():
        if rounded(actual):
            raise CheckError(f"{name} of {kind} turned into floats", where=exact.where())
        compare(
            f"the reference on {kind} differs from float64", name, floats(actual), expected[name], rounding(np.float64)
        )


def _wide(array: Array) -> Array:
    return array.astype(np.float64)
