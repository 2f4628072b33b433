"""MultiHeadAttention: every place of a sequence takes a weighted mean of all places, of its own or of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import GlorotUniform, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Leaves, Shape, Views, structured

from ._reshaped import reshaped

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class QueryMemory(NamedTuple):
    """The input of cross-attention: a sequence that asks, and one that is asked. Arrays, or their shapes."""

    query: Any  # (N, Tq, D)
    memory: Any  # (N, Tk, D)


class Saved(NamedTuple):
    """Both projections need their inputs, the attention between them its own and its weights."""

    x: tuple[Array, ...]  # (N*T, D), or (N*Tq, D) and (N*Tk, D)
    packed: tuple[Array, ...]  # (N*T, 3D), or (N*Tq, D) and (N*Tk, 2D)
    P: Array  # (N, heads, Tq, Tk)
    mixed: Array  # (N*Tq, D): the heads' outputs, side by side


THIRDS = {1: ((0, 3),), 2: ((0, 1), (1, 3))}
"""Which thirds of in_proj project what: all three one sequence; Q's the query, K's and V's the memory."""


@layer
class MultiHeadAttention(Layer):
    """y = [P_1 V_1 … P_h V_h] Woᵀ + bo with P_i = softmax(Q_i K_iᵀ / √d) and [Q K V] = x Wᵀ + b (self-attention).

    Q, K and V are each cut into `heads` parts of d = D/heads features. (Vaswani et al. 2017, section 3.2.)
    Cross-attention takes x = QueryMemory(query, memory) and draws Q from the query, K and V from the memory, by the
    same rows of W: `Network([MultiHeadAttention(2)], QueryMemory(query=(Tq, D), memory=(Tk, D)))`.

    Shapes: x (N, T, D), in_proj.W (3D, D), in_proj.b (3D,), out_proj.W (D, D), out_proj.b (D,), y (N, T, D). The
        weights are laid out as PyTorch's MultiheadAttention lays them out: the rows for Q, then K, then V.
        In cross-attention query (N, Tq, D), memory (N, Tk, D), y (N, Tq, D); dx is a QueryMemory too.
    Derivative: with dP = dO Vᵀ and dS = P·(dP - Σ dP·P): dQ = dS K / √d, dK = dSᵀ Q / √d, dV = Pᵀ dO, where dO is the
        gradient of the heads' outputs; the two projections as in Dense.
    W begins Glorot-uniform, b at zero.

    A side input `mask`, bool (N, T), says which tokens are real: `net.forward(x, mask=mask, …)`. True is a real token,
    False is padding, which no query sees. (PyTorch's key_padding_mask is the opposite: True is padding there.) In
    cross-attention it is the memory's, (N, Tk). A query that sees nothing, because all its keys are padding, gets 0
    from every head, so that its y is out_proj.b, and passes no gradient back. (PyTorch answers NaN.) Values at padding
    must be finite: 0·NaN is NaN. What y says at padding has no meaning; leave it out of the loss.

    Args:
        heads: how many means are taken; D is divisible by it.
        causal: whether a place sees itself and earlier ones only. Refused in cross-attention, where the places of two
            sequences have no common order.
        bias: whether the projections have a b.
        init: how both W begin.

    Raises:
        ConfigError: a setting without meaning; causal cross-attention.
        ShapeError: where x is not (N, T, D), D is not divisible by heads, query and memory differ in D (PyTorch's kdim
            and vdim have no counterpart, because K and V are projected by rows of one W), or the mask is not (N, T).
        DtypeError: the mask is not bool.
    """

    structures = (QueryMemory,)

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
        """(T, D) -> (T, D), and (Tq, D), (Tk, D) -> (Tq, D)."""
        if isinstance(in_shape, QueryMemory):
            require(
                not self.causal,
                "cross-attention is not causal: places of two sequences have no common order",
                actual=repr(self),
                hint="causal=False; the side input mask says which places of the memory are seen",
            )
            query, memory = self._of_one(in_shape.query), self._of_one(in_shape.memory)
            if query[1] != memory[1]:
                raise self.refuse(
                    f"a memory of {query[1]} features, like the query",
                    f"{memory[1]} features",
                    hint="in_proj.W projects both, so bring the memory to the query's features first",
                )
            return query
        return self._of_one(in_shape)

    def _of_one(self, in_shape: Shape) -> Shape:
        """(T, D) -> (T, D) of a single sequence."""
        if len(in_shape) != 2 or in_shape[0] < 1:
            raise self.refuse("(N, T, D) with T >= 1", ("N", *in_shape))
        if in_shape[1] % self.heads or in_shape[1] < 1:
            raise self.refuse(f"features divisible by heads={self.heads}", f"{in_shape[1]} features")
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Leaves, run: Run) -> tuple[Array, Saved]:
        """Project x to Q, K and V, take the heads' means, project those."""
        sources = x if structured(x) else (x,)
        N, Tq, D = sources[0].shape
        rows, packed, heads = [], [], list[Array]()  # heads: Q, K, V
        for source, (first, last) in zip(sources, THIRDS[len(sources)], strict=True):
            T = source.shape[1]
            rows.append(reshaped(k, source, (N * T, D), run.empty))  # (N, T, D) -> (N*T, D)
            packed.append(run.empty((N * T, (last - first) * D), source.dtype))
            W, b = _rows(p, first * D, last * D)
            k.dense(rows[-1], W, b, packed[-1])  # (N*T, D) -> (N*T, 3D), or D for the query, 2D for the memory
            heads += self._heads(packed[-1], N, T, last - first)
        P = run.empty((N, self.heads, Tq, heads[1].shape[2]), heads[0].dtype)
        mixed = run.empty((N * Tq, D), P.dtype)
        k.attention(*heads, run.side.get("mask"), *self._heads(mixed, N, Tq, 1), P, self.causal)
        y = run.empty((N * Tq, D), P.dtype)
        k.dense(mixed, p["out_proj.W"], p.get("out_proj.b"), y)
        return y.reshape(N, Tq, D), Saved(tuple(rows), tuple(packed), P, mixed)  # (N*Tq, D) -> (N, Tq, D)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """The same three steps in reverse."""
        (N, Tq, D), Tk = dy.shape, saved.P.shape[3]
        d = reshaped(k, dy, (N * Tq, D), run.scratch)  # (N, Tq, D) -> (N*Tq, D)
        # forward: y = mixed Woᵀ + bo
        dmixed = run.scratch((N * Tq, D), dy.dtype)
        k.dense_backward(saved.mixed, p["out_proj.W"], d, g["out_proj.W"], g.get("out_proj.b"), dmixed)
        # forward: mixed = [… softmax(Q_i K_iᵀ / √d) V_i …]
        dpacked, heads, dheads = [], list[Array](), list[Array]()
        parts = [(T, *thirds) for T, thirds in zip((Tq, Tk), THIRDS[len(saved.x)], strict=False)]
        for packed, (T, first, last) in zip(saved.packed, parts, strict=True):
            dpacked.append(run.scratch(packed.shape, dy.dtype))
            heads += self._heads(packed, N, T, last - first)
            dheads += self._heads(dpacked[-1], N, T, last - first)
        k.attention_backward(*heads, saved.P, *self._heads(dmixed, N, Tq, 1), *dheads)
        # forward: [Q K V] = x Wᵀ + b, or Q = query W_Qᵀ + b_Q and [K V] = memory W_KVᵀ + b_KV
        dx = []
        for rows, d, (T, first, last) in zip(saved.x, dpacked, parts, strict=True):
            (W, _), (dW, db) = _rows(p, first * D, last * D), _rows(g, first * D, last * D)
            drows = run.empty((N * T, D), dy.dtype) if run.need_dx else None
            k.dense_backward(rows, W, d, dW, db, drows)
            dx.append(None if drows is None else drows.reshape(N, T, D))  # (N*T, D) -> (N, T, D)
        if not run.need_dx:
            return None
        return dx[0] if len(dx) == 1 else QueryMemory(*dx)

    def _heads(self, rows: Array, N: int, T: int, parts: int) -> tuple[Array, ...]:
        """Views of packed features, for Q, K and V one each: (N*T, parts*D) -> parts times (N, heads, T, d)."""
        d = rows.shape[1] // (parts * self.heads)
        return tuple(rows.reshape(N, T, parts, self.heads, d).transpose(2, 0, 3, 1, 4))

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One sequence or two, one head and several, of one feature and several; causal or not; with padding or not."""
        heads, T = draw.integer(1, 3), draw.integer(1, 5)
        D = heads * draw.integer(1, 3)
        masks = draw.one_of({}, {"mask": (T,)})
        bias = draw.one_of(True, False)
        if draw.one_of(False, True):
            return Case(cls(heads, bias=bias), in_shape=QueryMemory((draw.integer(1, 5), D), (T, D)), masks=masks)
        return Case(cls(heads, causal=draw.one_of(False, True), bias=bias), in_shape=(T, D), masks=masks)


def _rows(views: Views, start: int, stop: int) -> tuple[Array, Array | None]:
    """Some rows of the packed projection, or of its gradient."""
    W, b = views["in_proj.W"], views.get("in_proj.b")
    return W[start:stop], None if b is None else b[start:stop]
