"""The gradient check for anyone's code: a forward, a backward, and the inputs."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .attempt import LADDER
from .ladder import check_choices, climb, tied_together
from .promises import broken_promises
from .report import Report, Verdict
from .subjects.function import Backward, Forward, FunctionSubject, Rejected


def check_gradients(
    forward: Forward,
    backward: Backward,
    inputs: Mapping[str, Any] | Sequence[Any],
    *,
    name: str | None = None,
    constants: Sequence[str] = (),
    most: int = 100,
    seed: int = 0,
    rungs: Sequence[str] = tuple(LADDER),
) -> Report:
    """Hold a hand-written backward against its own forward.

        report = check_gradients(affine_forward, affine_backward, {"x": x, "w": w, "b": b})
        assert report, str(report)

    `forward(*inputs) -> (out, cache)` and `backward(dout, cache) -> (dx, dw, db)`: one gradient for each input of
    floats, in the order of the inputs (one alone, a tuple or list, or a dictionary by name).

    The slope of Σ dout·out by every input is measured by every rung of the ladder (see `check.ladder`) that the
    functions can be put on: exactly on fractions, on 100 digits, by complex steps, and always by differences whose step
    is chosen for each input from the noise that is found there. dout is random and signed. Coordinates are probed one
    by one (a random sample of `most` in large inputs) and along random directions, which no single wrong entry escapes
    in expectation. At a kink any value between the one-sided slopes is right. No tolerance depends on the size of the
    arrays.

    Besides, the backward must be linear in dout, must change neither dout nor the inputs, must give the same again,
    must return arrays of its own, must be finite where the forward is, and must not mind how dout lies in memory.

    Args:
        forward, backward: as above.
        inputs: arrays by the forward's own names, or in its order (then they are called x0, x1, …). Floats are taken as
            float64; so is a NumPy scalar, while a Python number is a setting and has no gradient.
        name: of the check, in the report.
        constants: names of inputs that have no gradient. Arrays of whole numbers, numbers and strings have none anyway.
        most: coordinates to probe for each input.
        seed: of dout and of the probes.
        rungs: which of the ladder to climb.

    Returns:
        A Report: true where every argument was exercised and right. Faults in the protocol (a forward that raises or is
        random, a gradient that is missing or of the wrong shape) are reported there as well, not raised.

    Raises:
        ConfigError: an unknown rung, or a seed or `most` that is no number.
    """
    check_choices(rungs, most, seed)
    began = time.perf_counter()
    title = name or str(getattr(backward, "__name__", "backward"))
    try:
        if not isinstance(inputs, Mapping | list | tuple):
            raise Rejected(f"the inputs are {type(inputs).__name__}, expected arrays by name, or in order in a list")
        named = in_order(forward, inputs)
        subject = FunctionSubject(forward, backward, named, constants)
        out = subject.run()[0]
        if not np.array_equal(subject.run()[0], out):
            raise Rejected("the forward is random: the same inputs give another out (fix its seed for the check)")
        findings = climb(subject, rungs=rungs, most=most, seed=seed)
        wrong = any(finding.verdict is Verdict.FAIL for finding in findings)
        with np.errstate(all="ignore"):
            faults, notes = broken_promises(subject, np.random.default_rng([seed, 29]), wrong)
        faults += [] if wrong else tied_together(subject, seed)
        fixed = [n for n, a in subject.inputs.items() if isinstance(a, np.ndarray) and n not in subject.wanted]
        notes += [f"{name} has no gradient: it is constant, or holds no floats" for name in fixed]
    except Rejected as rejected:
        return Report(title, faults=(rejected.fault,), seconds=time.perf_counter() - began)
    return Report(title, findings, faults, notes, seconds=time.perf_counter() - began)


def in_order(forward: Forward, inputs: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
    """Inputs by name, in the order of the forward's arguments where it has these names."""
    if hasattr(inputs, "_asdict"):
        inputs = inputs._asdict()
    if not isinstance(inputs, Mapping):
        return {f"x{i}": value for i, value in enumerate(inputs)}
    try:
        order = list(inspect.signature(forward).parameters)
    except (TypeError, ValueError):  # a ufunc, say, does not tell
        return inputs
    return {name: inputs[name] for name in order} if set(inputs) == set(order) else inputs
