"""LSTM: a recurrent layer whose cells keep what a gate lets them keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import layer
from scratchnet.core.types import Array, Views

from ._recurrent import Recurrent, draw_case, draw_hidden

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input, all states, and by step the four gates and the cells."""

    x: Array
    h: Array
    gates: Array
    cells: Array


@layer
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000).

    With h' and c' the state and the cell of the step before, 0 at the first step:

        i, f, g, o = σ(a_i), σ(a_f), tanh(a_g), σ(a_o),  a = x_t W_ihᵀ + b_ih + h' W_hhᵀ + b_hh
        c = f·c' + i·g
        h = o·tanh c

    Shapes: x (N, T, D), y (N, T, H) with y[:, t] = h, or y (N, H); W_ih (4H, D), W_hh (4H, H), b_ih and b_hh (4H,),
        rows in the order i, f, g, o. Names apart, they are PyTorch's weight_ih_l0, …
    Derivative, from the last step to the first, with dh = dy_t + da_next W_hh and
        dc = f_next·dc_next + dh·o·(1 - tanh² c):
        da_i = dc·g·i(1 - i), da_f = dc·c'·f(1 - f), da_g = dc·i·(1 - g²), da_o = dh·tanh c·o(1 - o);
        dx_t = da W_ih, dW_ih = Σ daᵀ x_t, dW_hh = Σ daᵀ h', db_ih = db_hh = Σ da.
    All parameters begin U(-1/√H, 1/√H), as in PyTorch.

    Args:
        hidden: H, the number of units.
        bias: whether there are b_ih and b_hh.
        reverse: walk from the last time to the first; y[:, t] is then the state after times T-1 … t.
        last: put out (N, H), the state after the last step: of time T-1, in reverse of time 0.

    Raises:
        ShapeError: where x is not (N, T, D) with T >= 1.
    """

    hidden: int
    bias: bool = True
    reverse: bool = False
    last: bool = False

    gates = 4

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """c = f·c' + i·g and h = o·tanh c, step by step."""
        (N, T, _), H = x.shape, self.hidden
        h = run.empty((N, T, H), x.dtype)  # (N, T, D) -> (N, T, H)
        gates, cells = run.empty((T, N, 4 * H), x.dtype), run.empty((T, N, H), x.dtype)
        k.lstm(x, p["W_ih"], p["W_hh"], p.get("b_ih"), p.get("b_hh"), h, gates, cells, self.reverse)
        return self.wanted(h), Saved(x, h, gates, cells)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of c = f·c' + i·g and h = o·tanh c: back through time, from the last step to the first."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        weights = p["W_ih"], p["W_hh"]
        dweights = g["W_ih"], g["W_hh"], g.get("b_ih"), g.get("b_hh")
        x, h, gates, cells = saved
        k.lstm_backward(x, *weights, h, gates, cells, self.by_time(dy), *dweights, dx, self.reverse)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every option; one step and several."""
        options = [draw.one_of(True, False) for _ in range(3)]
        return draw_case(cls(draw_hidden(draw), *options), draw)
