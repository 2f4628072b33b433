"""RNN: the simple recurrent layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import layer, require
from scratchnet.core.types import Array, Views

from ._recurrent import Recurrent, draw_case, draw_hidden

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input and all states, which also tell the nonlinearity's derivative."""

    x: Array
    h: Array


@layer
class RNN(Recurrent):
    """h = tanh(x_t W_ihᵀ + b_ih + h' W_hhᵀ + b_hh), with h' the state of the step before (Elman 1990).

    There is no state before the first step: h' = 0. With nonlinearity="relu", max(·, 0) stands for tanh.

    Shapes: x (N, T, D), y (N, T, H) with y[:, t] = h, or y (N, H); W_ih (H, D), W_hh (H, H), b_ih and b_hh (H,).
        Names apart, they are PyTorch's weight_ih_l0, …
    Derivative, from the last step to the first, with dh = dy_t + da_next W_hh:
        da = dh·(1 - h²), for relu dh where h > 0, else 0;
        dx_t = da W_ih, dW_ih = Σ daᵀ x_t, dW_hh = Σ daᵀ h', db_ih = db_hh = Σ da.
    All parameters begin U(-1/√H, 1/√H), as in PyTorch.

    Args:
        hidden: H, the number of units.
        nonlinearity: "tanh" or "relu".
        bias: whether there are b_ih and b_hh.
        reverse: walk from the last time to the first; y[:, t] is then the state after times T-1 … t.
        last: put out (N, H), the state after the last step: of time T-1, in reverse of time 0.

    Raises:
        ConfigError: an unknown nonlinearity.
        ShapeError: where x is not (N, T, D) with T >= 1.
    """

    hidden: int
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    bias: bool = True
    reverse: bool = False
    last: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        known = self.nonlinearity in ("tanh", "relu")
        require(known, "unknown nonlinearity", expected="tanh | relu", actual=repr(self.nonlinearity))

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """h = tanh(x_t W_ihᵀ + b_ih + h' W_hhᵀ + b_hh), step by step."""
        h = run.empty((*x.shape[:2], self.hidden), x.dtype)  # (N, T, D) -> (N, T, H)
        k.rnn(x, p["W_ih"], p["W_hh"], p.get("b_ih"), p.get("b_hh"), h, self.nonlinearity, self.reverse)
        return self.wanted(h), Saved(x, h)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of h = tanh(x_t W_ihᵀ + b_ih + h' W_hhᵀ + b_hh): back through time, from the last step to the first."""
        x, h = saved
        dx = run.empty(x.shape, dy.dtype) if run.need_dx else None
        weights, settings = (p["W_ih"], p["W_hh"]), (self.nonlinearity, self.reverse)
        dweights = g["W_ih"], g["W_hh"], g.get("b_ih"), g.get("b_hh")
        k.rnn_backward(x, *weights, h, self.by_time(dy), *dweights, dx, *settings)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every option; one step and several."""
        nonlinearity: Literal["tanh", "relu"] = draw.one_of("tanh", "relu")
        options = [draw.one_of(True, False) for _ in range(3)]
        return draw_case(cls(draw_hidden(draw), nonlinearity, *options), draw)
