"""MultiHeadAttention: every place of a sequence takes a weighted mean of all places, several times over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import GlorotUniform, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._reshaped import reshaped

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """Both projections need their inputs, the attention between them its own and its weights."""

    x: Array  # (N*T, D)
    qkv: Array  # (N*T, 3D)
    P: Array  # (N, heads, T, T)
    mixed: Array  # (N*T, D): the heads' outputs, side by side


@layer
class MultiHeadAttention(Layer):
    """Self-attention: y = [P_1 V_1 … P_h V_h] Woᵀ + bo with P_i = softmax(Q_i K_iᵀ / √d) and [Q K V] = x Wᵀ + b.

    Q, K and V are each cut into `heads` parts of d = D/heads features. (Vaswani et al. 2017, section 3.2.)

    Shapes: x (N, T, D), in_proj.W (3D, D), in_proj.b (3D,), out_proj.W (D, D), out_proj.b (D,), y (N, T, D). The
        weights are laid out as PyTorch's MultiheadAttention lays them out: the rows for Q, then K, then V.
    Derivative: with dP = dO Vᵀ and dS = P·(dP - Σ dP·P): dQ = dS K / √d, dK = dSᵀ Q / √d, dV = Pᵀ dO, where dO is the
        gradient of the heads' outputs; the two projections as in Dense.
    W begins Glorot-uniform, b at zero.

    A side input `mask`, bool (N, T), says which tokens are real: `net.forward(x, mask=mask, …)`. True is a real token,
    False is padding, which no query sees. (PyTorch's key_padding_mask is the opposite: True is padding there.) A query
    that sees nothing, because all its keys are padding, gets 0 from every head, so that its y is out_proj.b, and
    passes no gradient back. (PyTorch answers NaN.) Values at padding must be finite: 0·NaN is NaN. What y says at
    padding has no meaning; leave it out of the loss.

    Args:
        heads: how many means are taken; D is divisible by it.
        causal: whether a place sees itself and earlier ones only.
        bias: whether the projections have a b.
        init: how both W begin.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, T, D), D is not divisible by heads, or the mask is not (N, T).
        DtypeError: the mask is not bool.
    """

    heads: int
    causal: bool = False
    bias: bool = True
    init: Initializer = GlorotUniform()

    def __post_init__(self) -> None:
        require(
            whole(self.heads),
            "MultiHeadAttention's heads is a whole number",
            expected="1 or more",
            actual=repr(self.heads),
        )

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """The packed projection to Q, K and V, and the one of the heads' outputs."""
        _, D = self.out_shape(in_shape)
        specs = {}
        for name, rows in (("in_proj", 3 * D), ("out_proj", D)):
            specs[f"{name}.W"] = ParamSpec((rows, D), self.init)
            if self.bias:
                specs[f"{name}.b"] = ParamSpec((rows,), Zeros())
        return specs

    def out_shape(self, in_shape: Shape) -> Shape:
        """(T, D) -> (T, D)."""
        if len(in_shape) != 2 or in_shape[0] < 1:
            raise self.refuse("(N, T, D) with T >= 1", ("N", *in_shape))
        if in_shape[1] % self.heads or in_shape[1] < 1:
            raise self.refuse(f"features divisible by heads={self.heads}", f"{in_shape[1]} features")
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """Project x to Q, K and V, take the heads' means, project those."""
        N, T, D = x.shape
        rows = reshaped(k, x, (N * T, D), run.empty)  # (N, T, D) -> (N*T, D)
        qkv = run.empty((N * T, 3 * D), x.dtype)
        k.dense(rows, p["in_proj.W"], p.get("in_proj.b"), qkv)  # (N*T, D) -> (N*T, 3D)
        P = run.empty((N, self.heads, T, T), x.dtype)
        mixed = run.empty((N * T, D), x.dtype)
        k.attention(*self._heads(qkv, N, T, 3), run.side.get("mask"), *self._heads(mixed, N, T, 1), P, self.causal)
        y = run.empty((N * T, D), x.dtype)
        k.dense(mixed, p["out_proj.W"], p.get("out_proj.b"), y)
        return y.reshape(N, T, D), Saved(rows, qkv, P, mixed)  # (N*T, D) -> (N, T, D)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """The same three steps in reverse."""
        N, T, D = dy.shape
        d = reshaped(k, dy, (N * T, D), run.scratch)  # (N, T, D) -> (N*T, D)
        # forward: y = mixed Woᵀ + bo
        dmixed = run.scratch((N * T, D), dy.dtype)
        k.dense_backward(saved.mixed, p["out_proj.W"], d, g["out_proj.W"], g.get("out_proj.b"), dmixed)
        # forward: mixed = [… softmax(Q_i K_iᵀ / √d) V_i …]
        dqkv = run.scratch((N * T, 3 * D), dy.dtype)
        given = *self._heads(saved.qkv, N, T, 3), saved.P, *self._heads(dmixed, N, T, 1)
        k.attention_backward(*given, *self._heads(dqkv, N, T, 3))
        # forward: [Q K V] = x Wᵀ + b
        dx = run.empty((N * T, D), dy.dtype) if run.need_dx else None
        k.dense_backward(saved.x, p["in_proj.W"], dqkv, g["in_proj.W"], g.get("in_proj.b"), dx)
        return None if dx is None else dx.reshape(N, T, D)  # (N*T, D) -> (N, T, D)

    def _heads(self, rows: Array, N: int, T: int, parts: int) -> tuple[Array, ...]:
        """Views of packed features, for Q, K and V one each: (N*T, parts*D) -> parts times (N, heads, T, d)."""
        d = rows.shape[1] // (parts * self.heads)
        return tuple(rows.reshape(N, T, parts, self.heads, d).transpose(2, 0, 3, 1, 4))

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One head and several, of one feature and several; causal or not; with and without padding."""
        heads, T = draw.integer(1, 3), draw.integer(1, 5)
        masks = draw.one_of({}, {"mask": (T,)})
        made = cls(heads, causal=draw.one_of(False, True), bias=draw.one_of(True, False))
        return Case(made, in_shape=(T, heads * draw.integer(1, 3)), masks=masks)
