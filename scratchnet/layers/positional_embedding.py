"""PositionalEmbedding: tells the places of a sequence apart, which attention by itself cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import Initializer, Normal
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """Nothing: y is linear in x and P."""


@dataclass(frozen=True)
class Sinusoidal:
    """P[t, 2i] = sin(t / 10000^(2i/D)), P[t, 2i+1] = cos(t / 10000^(2i/D)) (Vaswani et al. 2017, section 3.5)."""

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        T, D = shape
        even = np.arange(D) // 2 * 2
        angle = np.arange(T)[:, None] / 10000.0 ** (even / D)  # (T, 1), (D,) -> (T, D)
        return np.where(np.arange(D) % 2 == 0, np.sin(angle), np.cos(angle))


@layer
class PositionalEmbedding(Layer):
    """y[n, t] = x[n, t] + P[t].

    Shapes: x (N, T, D) with T <= max_length, P (max_length, D), y (N, T, D). Only the first T rows of P take part.
    Derivative: dx = dy; a learned P has dP[t] = Σₙ dy[n, t].
    A learned P begins as N(0, 0.02²), small beside embeddings of scale 1. A sinusoidal one is a buffer that never
    changes: P[t, 2i] = sin(t / 10000^(2i/D)), P[t, 2i+1] = cos(t / 10000^(2i/D)) (Vaswani et al. 2017, section 3.5).

    Args:
        max_length: how many places P knows.
        kind: "learned" or "sinusoidal".
        init: how a learned P begins.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, T, D), or T exceeds max_length.
    """

    max_length: int
    kind: Literal["learned", "sinusoidal"] = "learned"
    init: Initializer = Normal(0.02)

    def __post_init__(self) -> None:
        require(
            whole(self.max_length),
            "PositionalEmbedding's max_length is a whole number",
            expected="1 or more",
            actual=repr(self.max_length),
        )
        require(
            self.kind in ("learned", "sinusoidal"),
            "unknown kind of positional embedding",
            expected='"learned" or "sinusoidal"',
            actual=repr(self.kind),
        )

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """P, where it is learned."""
        self.out_shape(in_shape)
        return {"P": ParamSpec((self.max_length, in_shape[1]), self.init)} if self.kind == "learned" else {}

    def buffers(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """P, where it is sinusoidal."""
        return {"P": ParamSpec((self.max_length, in_shape[1]), Sinusoidal())} if self.kind == "sinusoidal" else {}

    def out_shape(self, in_shape: Shape) -> Shape:
        """(T, D) -> (T, D)."""
        if len(in_shape) != 2:
            raise self.refuse("(N, T, D)", ("N", *in_shape))
        if in_shape[0] > self.max_length:
            raise self.refuse(f"at most {self.max_length} places", f"{in_shape[0]}", hint="give a larger max_length")
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x + P."""
        y = run.empty(x.shape, x.dtype)
        k.positional_embedding(x, p["P"][: x.shape[1]], y)  # P: (max_length, D) -> (T, D)
        return y, Saved()

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x + P: dP += Σₙ dy, dx = dy."""
        if self.kind == "learned":
            k.positional_embedding_backward(dy, g["P"][: dy.shape[1]])
        return dy if run.need_dx else None

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Both kinds, full length and less."""
        T = draw.integer(1, 5)
        made = cls(T + draw.integer(0, 2), draw.one_of("learned", "sinusoidal"))
        return Case(made, in_shape=(T, draw.integer(1, 6)))
