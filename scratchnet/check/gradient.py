"""The gradient against the function itself: complex steps, and finite differences that know about kinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scratchnet.core.types import Array

from .errors import CheckError
from .tolerances import COMPLEX_FLOOR, COMPLEX_RELATIVE, COMPLEX_STEP, FINITE_RELATIVE, FINITE_STEP

MOST = 40  # coordinates probed one by one in an argument; larger ones are sampled, and a direction covers the rest


def check_complex_step(
    f: Callable[[], Array],
    arguments: dict[str, Array],
    gradients: dict[str, Array],
    dy: Array,
    rng: np.random.Generator,
) -> float:
    """Hold gradients against Im f(a + ih)/h, which has no cancellation (Squire & Trapp 1998).

    Args:
        f: computes y from the arrays in `arguments` as they are.
        arguments: complex arrays by name; one coordinate at a time is moved and put back.
        gradients: the analytic gradient of Σ dy·y, by the same names.
        dy: the cotangent.
        rng: picks coordinates where there are many.

    Returns:
        The largest entry that a gradient of zero would have failed at, so that the caller can tell a check from none.

    Raises:
        CheckError: naming the argument and the coordinate.
    """
    seen = 0.0
    for name, direction, analytic in _probes(arguments, gradients, rng):
        argument = arguments[name]
        before = argument.copy()
        argument += 1j * COMPLEX_STEP * direction
        slope = f().imag / COMPLEX_STEP  # (N, ...): the derivative of every output
        argument[...] = before
        expected, scale = float((dy.real * slope).sum()), float((np.abs(dy.real) * np.abs(slope)).sum())
        floor = COMPLEX_FLOOR * float(np.abs(dy).max(initial=0.0))
        if not abs(analytic - expected) <= COMPLEX_RELATIVE * max(scale, abs(analytic)) + floor:
            raise _wrong("complex step", name, direction, analytic, str(expected))
        if abs(expected) > COMPLEX_RELATIVE * scale + floor:
            seen = max(seen, abs(analytic))
    return seen


def check_finite_differences(
    f: Callable[[], Array],
    arguments: dict[str, Array],
    gradients: dict[str, Array],
    dy: Array,
    rng: np.random.Generator,
) -> float:
    """Hold gradients against the one-sided differences of every output.

    The two one-sided slopes of an output bracket its derivative: within h·f″/2 where the function is smooth; at a kink
    they are the ends of the subgradient, any value of which is accepted. Arguments are as for the complex step.
    """
    seen = 0.0
    h = FINITE_STEP
    y = f()
    for name, direction, analytic in _probes(arguments, gradients, rng):
        argument = arguments[name]
        before = argument.copy()
        argument += h * direction
        up = f()
        argument[...] = before - h * direction
        down = f()
        argument[...] = before
        ahead, behind = dy * (up - y) / h, dy * (y - down) / h  # (N, ...): what each output says of Σ dy·y
        low, high = np.minimum(ahead, behind), np.maximum(ahead, behind)
        ulps = 4 * np.finfo(y.dtype).eps * np.abs(dy * y) / h  # what rounding hides of each output's slope
        noise = (ulps * ((up != y) | (down != y))).sum() + ulps.max(initial=0.0)  # ... and of one that did not move
        slack = float((FINITE_RELATIVE * np.maximum(np.abs(low), np.abs(high))).sum() + noise) + 1e-12
        if not low.sum() - slack <= analytic <= high.sum() + slack:
            raise _wrong("finite differences", name, direction, analytic, f"{low.sum()} .. {high.sum()} ± {slack:.1e}")
        if not low.sum() - slack <= 0 <= high.sum() + slack:
            seen = max(seen, abs(analytic))
    return seen


def _probes(
    arguments: dict[str, Array], gradients: dict[str, Array], rng: np.random.Generator
) -> Iterator[tuple[str, Array, float]]:
    """(argument, direction, analytic slope): unit vectors, all or a sample of them, and one that covers everything."""
    for name, argument in arguments.items():
        gradient = gradients[name].real
        chosen = range(argument.size) if argument.size <= MOST else rng.choice(argument.size, MOST, replace=False)
        for flat in chosen:
            unit = np.zeros(argument.size)
            unit[flat] = 1.0
            yield name, unit.reshape(argument.shape), float(gradient.reshape(-1)[flat])
        if argument.size > MOST:
            everywhere = rng.choice([-1.0, 1.0], argument.shape) * rng.uniform(0.5, 1.5, argument.shape)
            yield name, everywhere, float((gradient * everywhere).sum())


def _wrong(how: str, name: str, direction: Array, analytic: float, expected: str) -> CheckError:
    moved = np.argwhere(direction)
    place = f"d{name}{moved[0].tolist()}" if len(moved) == 1 else f"d{name} along a random direction"
    return CheckError(f"the gradient is wrong, say {how}", where=place, expected=expected, actual=analytic)
