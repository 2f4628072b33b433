"""The proof of a backward: its gradients beside differences of the forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .array import Array


def worst_error(
    forward: Callable[..., Any],
    backward: Callable[..., Mapping[str, Array]],
    p: Mapping[str, Array],
    trained: tuple[str, ...],
    x: tuple[Array, ...],
) -> float:
    """The largest error of a gradient, relative to its norm, by central differences along random directions.

    Beside each parameter's g stands (L(p + εv) - L(p - εv)) / 2ε, with L = Σ c·logits, c of random signs and sizes,
    v of random signs. It is printed, and so is its name.

    Raises:
        ArithmeticError: for a parameter that gets no gradient, or one of another shape.
    """
    rng = np.random.default_rng(0)
    logits, saved = forward(p, *x)[:2]
    c = rng.uniform(0.5, 1.5, logits.shape) * rng.choice((-1.0, 1.0), logits.shape)
    gradients, worst = backward(p, saved, c), 0.0
    for name in trained:
        if name not in gradients or not gradients[name].any() or gradients[name].shape != p[name].shape:
            raise ArithmeticError(f"no gradient reaches {name}")
    largest = max(float(np.linalg.norm(gradients[name])) for name in trained)
    for name in trained:
        g, errors = gradients[name], []
        norm = max(float(np.linalg.norm(g)), 1e-3 * largest)  # a gradient that is 0 by the formula is rounding
        for v in rng.choice((-1.0, 1.0), (3, *g.shape)):
            slopes = []
            for step in (1e-5, 1e-6):  # the longer one may cross a kink of ReLU or of max pooling
                epsilon = step / np.sqrt(g.size)
                up, down = (forward({**p, name: p[name] + e * v}, *x)[0] for e in (epsilon, -epsilon))
                slopes.append(((up - down) * c).sum() / (2 * epsilon))
            errors.append(min(abs(float((g * v).sum() - slope)) / norm for slope in slopes))
        worst = max(worst, *errors)
        print(f"{name}: relative error {max(errors):.1e}")
    return worst
