"""GRU: a recurrent layer whose state moves as far as a gate lets it."""

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
    """The input, all states, and by step the three gates and the hidden product that the reset gate scales."""

    x: Array
    h: Array
    gates: Array
    hidden: Array


@layer
class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014), the reset gate after the hidden product, as in cuDNN and PyTorch.

    With h' the state of the step before, 0 at the first step:

        a = x_t W_ihᵀ + b_ih,  (b_r, b_z, q) = h' W_hhᵀ + b_hh
        r, z, n = σ(a_r + b_r), σ(a_z + b_z), tanh(a_n + r·q)
        h = (1 - z)·n + z·h'

    Shapes: x (N, T, D), y (N, T, H) with y[:, t] = h, or y (N, H); W_ih (3H, D), W_hh (3H, H), b_ih and b_hh (3H,),
        rows in the order r, z, n. Names apart, they are PyTorch's weight_ih_l0, …
    Derivative, from the last step to the first, with dh = dy_t + z_next·dh_next + db_next W_hh:
        da_n = dh·(1 - z)(1 - n²), da_z = dh·(h' - n)·z(1 - z), da_r = da_n·q·r(1 - r), db = (da_r, da_z, da_n·r);
        dx_t = da W_ih, dW_ih = Σ daᵀ x_t, dW_hh = Σ dbᵀ h', db_ih = Σ da, db_hh = Σ db.
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

    gates = 3

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """h = (1 - z)·n + z·h', step by step."""
        (N, T, _), H = x.shape, self.hidden
        h = run.empty((N, T, H), x.dtype)  # (N, T, D) -> (N, T, H)
        gates, hidden = run.empty((T, N, 3 * H), x.dtype), run.empty((T, N, H), x.dtype)
        k.gru(x, p["W_ih"], p["W_hh"], p.get("b_ih"), p.get("b_hh"), h, gates, hidden, self.reverse)
        return self.wanted(h), Saved(x, h, gates, hidden)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of h = (1 - z)·n + z·h': back through time, from the last step to the first."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        weights = p["W_ih"], p["W_hh"]
        dweights = g["W_ih"], g["W_hh"], g.get("b_ih"), g.get("b_hh")
        x, h, gates, hidden = saved
        k.gru_backward(x, *weights, h, gates, hidden, self.by_time(dy), *dweights, dx, self.reverse)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every option; one step and several."""
        options = [draw.one_of(True, False) for _ in range(3)]
        return draw_case(cls(draw_hidden(draw), *options), draw)
