"""Norms of gradients, and the factor that keeps the whole of them short without turning it.

    factor, norm = clip_factor(net, 1.0)
    opt.step(net, clip=factor)

The gradients stay as they are; the optimizer's kernel multiplies by the factor as it reads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import require
from scratchnet.core.types import Array

if TYPE_CHECKING:
    from scratchnet.core.network import Network
    from scratchnet_kernels import OpTable


class NonFiniteGradientError(ScratchnetError, ArithmeticError):
    """A gradient holds NaN or infinity, so there is no factor that would make it short."""


def global_norm(net: Network) -> float:
    """√Σ g² over the gradients of all parameters that are not frozen, summed in float64.

    The order of the sum is fixed, so the result repeats to the bit. Squares neither overflow nor vanish: sums out of
    the comfortable range are taken again of scaled numbers. NaN or inf where a gradient is not finite.
    """
    flat = net.gradients.flat
    return norm(net.k, [flat[stretch] for stretch, _, _ in net.parameters.runs()])


def parameter_norms(net: Network) -> dict[str, float]:
    """√Σ g² of every parameter's gradient, by name, frozen ones too. Tied parameters appear once."""
    return {name: norm(net.k, [net.gradients.views[name]]) for name in net.gradients.segments}


def clip_factor(net: Network, max_norm: float, *, inverse_scale: float = 1.0) -> tuple[float, float]:
    """(factor, norm): factor·norm <= max_norm, and factor = 1 where the norm is short enough already.

    As PyTorch's clip_grad_norm_, but without its 1e-6 in the denominator, which leaves a clipped norm short of
    max_norm; the division is made only where the norm exceeds max_norm > 0.

    Args:
        net: after its backward.
        max_norm: the longest norm to let through.
        inverse_scale: 1/loss scale of mixed precision; the norm is that of the gradient without the scale.

    Raises:
        ConfigError: max_norm is not positive.
        NonFiniteGradientError: a gradient is NaN or infinite; it names the first parameter. Catch it to skip the step.
    """
    require(max_norm > 0, "max_norm is positive", actual=max_norm)
    norm = global_norm(net) * inverse_scale
    if not math.isfinite(norm):
        raise _not_finite(net, norm)
    return (1.0 if norm <= max_norm else max_norm / norm), norm


def _not_finite(net: Network, norm: float) -> NonFiniteGradientError:
    for name, segment in net.gradients.segments.items():
        if not net.parameters.segments[name].frozen:
            g = net.gradients.flat[segment.start : segment.stop]
            bad = ~np.isfinite(g)
            if bad.any():
                at = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), segment.shape))
                return NonFiniteGradientError(
                    "the gradient is not finite",
                    where=f"{name}[{', '.join(map(str, at))}]",
                    expected="finite numbers",
                    actual=f"{g[int(np.argmax(bad))]}, {int(bad.sum())} of {bad.size} elements",
                    hint="skip this step; if it persists, lower the learning rate or look for the layer that overflows",
                )
    return NonFiniteGradientError(
        "the norm of the gradient is beyond float64, though its elements are not", actual=norm
    )


def norm(k: OpTable, parts: Iterable[Array]) -> float:
    """√Σ a² over several arrays."""
    parts = list(parts)
    norm = 0.0
    for scale in (1.0, 2.0**-600, 2.0**600):
        total, part_sum = 0.0, np.zeros(())
        for part in parts:
            k.sum_of_squares(part, part_sum, scale)
            total += float(part_sum)
        norm = math.sqrt(total) / scale if total >= 0 else total
        comfortable = 1e-250 < total < math.inf or math.isnan(total)
        if comfortable or all(part.dtype.itemsize < 8 for part in parts):
            break  # squares of float32 lie in [1e-90, 1e77]
    return norm
