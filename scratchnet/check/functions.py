"""The gradient check for anyone's code: a forward, a backward, and the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .explain import explain
from .report import Finding, Report, Verdict
from .slopes import Slopes

Forward = Callable[..., Any]
Backward = Callable[..., Any]


class Rejected(Exception):  # noqa: N818  (not an error of the user's program: it ends this one check)
    """The functions do not keep to the protocol; the message says how."""


def check_gradients(
    forward: Forward,
    backward: Backward,
    inputs: Mapping[str, Any] | Sequence[Any],
    *,
    name: str | None = None,
    constants: Sequence[str] = (),
    most: int = 200,
    seed: int = 0,
) -> Report:
    """Hold a hand-written backward against its own forward.

        report = check_gradients(affine_forward, affine_backward, {"x": x, "w": w, "b": b})
        assert report, report

    `forward(*inputs) -> (out, cache)` and `backward(dout, cache) -> (dx, dw, db)`: one gradient for each input of
    floats, in the order of the inputs (one alone, a tuple or list, or a dictionary by name).

    The slope of Σ dout·out by every input is measured with five-point differences, whose step is chosen for each input
    from the noise that is found there; dout is random and signed. Coordinates are probed one by one (a random sample of
    `most` in large inputs) and along random directions, which no single wrong entry escapes in expectation. At a kink
    any value between the one-sided slopes is right. The tolerance does not depend on the size of the arrays.

    Besides, the backward must be linear in dout, must change neither dout nor the inputs, must give the same again, and
    must not mind the strides of dout; the forward must give the same again and change nothing.

    Args:
        forward, backward: as above.
        inputs: arrays by name, or in order (then they are called x0, x1, …). Floats are taken as float64.
        name: of the check, in the report.
        constants: names of inputs that have no gradient. Arrays of whole numbers, numbers and strings have none anyway.
        most: coordinates to probe for each input.
        seed: of dout and of the probes.

    Returns:
        A Report: true where every argument was exercised and right. Faults in the protocol (a forward that raises or is
        random, a gradient that is missing or of the wrong shape) are reported there as well, not raised.
    """
    title = name or str(getattr(backward, "__name__", "backward"))
    named = dict(inputs) if isinstance(inputs, Mapping) else {f"x{i}": value for i, value in enumerate(inputs)}
    try:
        return _check(_Pair(forward, backward, named, constants), title, most, np.random.default_rng(seed))
    except Rejected as fault:
        return Report(title, broken=(str(fault),))


class _Pair:
    """A forward and a backward, called with copies, so that what they change can be seen."""

    def __init__(
        self, forward: Forward, backward: Backward, named: Mapping[str, Any], constants: Sequence[str]
    ) -> None:
        self.forward, self.backward = forward, backward
        self.inputs = {name: _wide(value) for name, value in named.items()}
        self.wanted = [
            name
            for name, value in self.inputs.items()
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and name not in constants
        ]
        if not self.wanted:
            raise Rejected("there is no input of floats to differentiate by")

    def run(self) -> tuple[Array, Any]:
        """(out, cache); out is checked and copied."""
        given = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in self.inputs.items()}
        try:
            with np.errstate(all="ignore"):
                result = self.forward(*given.values())
        except Exception as error:
            raise Rejected(f"the forward raises {type(error).__name__}: {error}") from error
        if not (isinstance(result, tuple) and len(result) == 2):
            raise Rejected(f"the forward returns {type(result).__name__}, expected a pair (out, cache)")
        out, cache = result
        if not isinstance(out, np.ndarray | np.floating):
            raise Rejected(f"the forward's out is {type(out).__name__}, expected an array of floats")
        if np.asarray(out).dtype != np.float64:
            raise Rejected(f"the forward's out is {np.asarray(out).dtype}, expected float64 as its inputs are")
        if not np.isfinite(out).all():
            raise Rejected("the forward's out has NaN or infinity in it: choose inputs where it is finite")
        for name, value in given.items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, self.inputs[name]):
                raise Rejected(f"the forward changes its input {name}")
        return np.array(out), cache

    def out(self) -> Array:
        """The output alone."""
        return self.run()[0]

    def gradients(self, dout: Array, cache: Any) -> dict[str, Array]:
        """The backward's gradients by name, checked and copied."""
        given = dout.copy() if dout.flags.c_contiguous else dout
        before = given.copy()
        try:
            with np.errstate(all="ignore"):
                result = self.backward(given, cache)
        except Exception as error:
            raise Rejected(f"the backward raises {type(error).__name__}: {error}") from error
        if not np.array_equal(given, before):
            raise Rejected("the backward changes dout")
        if isinstance(result, Mapping):
            found = {name: result.get(name, result.get(f"d{name}")) for name in self.wanted}
        else:
            listed = list(result) if isinstance(result, tuple | list) else [result]
            if len(listed) == len(self.inputs) != len(self.wanted):  # None in the places of the others
                listed = [g for g, name in zip(listed, self.inputs, strict=True) if name in self.wanted]
            if len(listed) != len(self.wanted):
                raise Rejected(f"the backward returns {len(listed)} gradients, expected one for each of {self.wanted}")
            found = dict(zip(self.wanted, listed, strict=True))
        for name, gradient in found.items():
            shape = self.inputs[name].shape
            if not isinstance(gradient, np.ndarray | np.floating):
                raise Rejected(f"the backward gives no array for d{name}, but {type(gradient).__name__}")
            if np.shape(gradient) != shape:
                raise Rejected(f"d{name} has shape {np.shape(gradient)}, expected {shape} as {name} has")
            if np.asarray(gradient).dtype != np.float64:
                raise Rejected(f"d{name} is {np.asarray(gradient).dtype}, expected float64 as {name} is")
        return {name: np.array(gradient) for name, gradient in found.items()}


def _wide(value: Any) -> Any:
    """Arrays of floats as float64; everything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    return value


def _check(pair: _Pair, title: str, most: int, rng: np.random.Generator) -> Report:
    out, cache = pair.run()
    if not np.array_equal(pair.out(), out):
        raise Rejected("the forward is random: the same inputs give another out (fix its seed for the check)")
    dout = rng.normal(size=out.shape) + 0.1
    gradients = pair.gradients(dout, cache)
    slopes = Slopes(pair.out, dout, out)
    sizes = {f"axis {axis} of out": extent for axis, extent in enumerate(out.shape) if extent > 1}
    findings = [_find(name, pair.inputs[name], gradients[name], slopes, sizes, most, rng) for name in pair.wanted]
    return Report(title, findings, _broken(pair, dout, gradients, rng))


def _find(
    name: str,
    argument: Array,
    analytic: Array,
    slopes: Slopes,
    sizes: Mapping[str, int],
    most: int,
    rng: np.random.Generator,
) -> Finding:
    """Compare one argument's gradient, coordinate by coordinate and along directions."""
    h, noise = slopes.choose_step(argument, rng)
    numeric = np.full(argument.shape, np.nan)
    chosen = np.arange(argument.size) if argument.size <= most else rng.choice(argument.size, most, replace=False)
    errors, wrong, probes = [0.0], [], 0
    for flat in chosen:
        index = tuple(int(i) for i in np.unravel_index(flat, argument.shape))
        direction = np.zeros(argument.shape)
        direction[index] = 1.0
        slope = slopes.compare(argument, direction, float(analytic[index]), h, noise)
        numeric[index] = slope.value
        errors.append(slope.error)
        probes += 1
        if not slope.agrees:
            wrong.append(index)
    astray = 0
    for _ in range(3 if argument.size > most else 1):
        direction = rng.choice([-1.0, 1.0], argument.shape) * rng.uniform(0.5, 1.5, argument.shape)
        slope = slopes.compare(argument, direction, float((analytic * direction).sum()), h, noise)
        probes, astray = probes + 1, astray + (not slope.agrees)
    scale = float(np.nanmax(np.abs(numeric), initial=0.0))
    largest = max(scale, float(np.abs(analytic).max(initial=0.0)))
    detectable = slopes.tolerance(scale, noise) / scale if scale else float("inf")
    if argument.size == 0 or (not wrong and not astray and largest <= 10 * noise):
        return Finding(name, Verdict.VACUOUS, probes, 0.0, detectable, analytic, numeric)
    verdict = Verdict.FAIL if wrong or astray else Verdict.PASS
    beside = {name: argument} | ({"out": slopes.out} if slopes.out.shape == argument.shape else {})
    reasons = explain(analytic, numeric, noise, sizes, beside) if wrong else []
    return Finding(
        name, verdict, probes, max(errors) / largest, detectable, analytic, numeric, tuple(wrong), tuple(reasons)
    )


def _broken(pair: _Pair, dout: Array, first: Mapping[str, Array], rng: np.random.Generator) -> tuple[str, ...]:
    """Promises besides the gradient that do not hold, by argument."""

    def fresh(d: Array) -> dict[str, Array]:
        return pair.gradients(d, pair.run()[1])

    _, cache = pair.run()
    once, twice = pair.gradients(dout, cache), pair.gradients(dout, cache)
    other = rng.normal(size=dout.shape)
    scaled, alone, both = fresh(-3.0 * dout), fresh(other), fresh(dout + other)
    strided = fresh(np.repeat(dout, 2, axis=-1)[..., ::2]) if dout.ndim and dout.size else first
    broken = []
    for name, g in first.items():
        if not _same(once[name], g):
            broken.append(f"d{name}: another forward and backward give another gradient; is a state left over?")
        elif not _same(twice[name], g):
            broken.append(f"d{name}: a second backward from one cache gives another gradient; is the cache changed?")
        elif _same(scaled[name], g) and not _same(g, -3.0 * g):
            broken.append(f"d{name}: the gradient does not depend on dout; is dout forgotten?")
        elif _same(scaled[name], 9.0 * g) and not _same(9.0 * g, -3.0 * g):
            broken.append(f"d{name}: the gradient is quadratic in dout; is dout applied twice?")
        elif not (_same(scaled[name], -3.0 * g) and _same(both[name], g + alone[name])):
            broken.append(f"d{name}: the backward is not linear in dout; is something clipped or masked by it?")
        if not _same(strided[name], g):
            broken.append(f"d{name}: a strided dout of the same values gives another gradient")
    return tuple(broken)


def _same(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) <= 1e-9 * max(1e-3, float(np.abs(other).max(initial=0.0))))
