"""Backpropagation on one page: a 2-3-2 network, one sample, every number on the way there and on the way back.

    python examples/backprop_by_hand.py

The forward pass keeps what it computes. The backward pass goes through the same lines from the last to the first and
asks of each: if this number grew a little, by how much would the loss grow? The answer for `v` is called dv, dL/dv in
full, and has the shape of v. Each answer comes from a formula; beside it stands what one gets without any formula, by
growing and shrinking each number of v by 0.00001 and running everything after v again.

Only NumPy computes here. At the end the same network, made of scratchnet's layers, is asked for its gradients too.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scratchnet import Dense, Network, SoftmaxCrossEntropy, Tanh

Array = np.ndarray[Any, np.dtype[np.float64]]
STEP = 1e-5  # of the finite differences: their error is about STEP^2 and 1e-16/STEP, here both near 1e-10
TOLERANCE = 1e-8  # relative to the largest number: far above that error, far below any mistake

# One sample with two features, which belongs to class 1 of 0 and 1; weights from a hat, rounded to be readable.
x = np.array([1.0, -2.0])
target = 1
W1 = np.array([[0.5, -0.3], [-0.2, 0.4], [0.1, 0.6]])  # (3, 2): a row for each hidden unit
b1 = np.array([0.1, 0.0, -0.1])
W2 = np.array([[0.7, -0.5, 0.2], [-0.4, 0.3, 0.8]])  # (2, 3): a row for each class
b2 = np.array([0.0, 0.2])
onehot = np.eye(2)[target]


# Everything that comes after each number, as a function of it: what the finite differences run again.
def loss_of_q(q: Array) -> float:
    return float(-np.log(q[target]))


def loss_of_z2(z2: Array) -> float:
    return loss_of_q(np.exp(z2) / np.exp(z2).sum())


def loss_of_h(h: Array) -> float:
    return loss_of_z2(W2 @ h + b2)


def loss_of_z1(z1: Array) -> float:
    return loss_of_h(np.tanh(z1))


console = Console(highlight=False, markup=False, emoji=False)
INDENT = 6 if console.width >= 40 else 2
failures: list[str] = []


def show(name: str, formula: str, value: Array | float, why: str = "") -> None:
    """One line of the forward pass: name, formula, the number."""
    console.print(Text(f"{name:<3} = {formula}", "bold"))
    if why:
        console.print(Padding(Text(why, "dim"), (0, 0, 0, INDENT), expand=False))
    console.print(Padding(Text(matrix(value)), (0, 0, 0, INDENT), expand=False))


def check(name: str, formula: str, by_hand: Array, why: str, loss: Callable[[Array], float], at: Array) -> None:
    """One line of the backward pass: name, formula, the number, and beside it what finite differences give."""
    nudged = differences(loss, at)
    console.print(Text(f"{name:<3} = {formula}", "bold"))
    console.print(Padding(Text(why, "dim"), (0, 0, 0, INDENT), expand=False))
    left, right, verdict = matrix(by_hand), matrix(nudged), compare(name, by_hand, nudged)
    if console.width >= 80:
        row = Table.grid(padding=(0, 3, 0, 0))
        row.add_row(Text(left), Text(right), verdict)
        console.print(Padding(row, (0, 0, 0, INDENT), expand=False))
    else:
        for line in (Text(f"by hand\n{left}"), Text(f"by differences\n{right}"), verdict):
            console.print(Padding(line, (0, 0, 0, 2), expand=False))


def compare(name: str, mine: Array, other: Array) -> Text:
    """Whether two arrays agree, in words; what does not goes on the list of failures."""
    worst = float(np.abs(mine - other).max() / np.abs(mine).max())
    agree = mine.shape == other.shape and worst <= TOLERANCE  # NaN is no agreement
    if not agree:
        failures.append(name)
    return Text(f"{'agree' if agree else 'DIFFER'}, to {worst:.0e}", "green" if agree else "bold red")


def differences(loss: Callable[[Array], float], at: Array) -> Array:
    """(loss(v + e) - loss(v - e)) / 2e for every element of v."""
    slopes = np.empty_like(at)
    for i in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[i] += STEP
        down[i] -= STEP
        slopes[i] = (loss(up) - loss(down)) / (2 * STEP)
    return slopes


def matrix(value: Array | float) -> str:
    """Rows of numbers, with fewer decimals where there is little room."""
    decimals = 5 if console.width >= 40 else 2
    rows = np.atleast_2d(np.asarray(value, np.float64))
    return "\n".join(" ".join(f"{number:{decimals + 3}.{decimals}f}" for number in row) for row in rows)


def title(text: str) -> None:
    console.print(Text(f"\n{text}", "bold underline"))


def main() -> int:
    """Forward, backward, the same by scratchnet; 0 if all agrees, else 1."""
    title("Given")
    show("x", "the sample", x, f"its class is {target}")
    show("W1", "(3, 2), a row for each hidden unit", W1)
    show("b1", "(3,)", b1)
    show("W2", "(2, 3), a row for each class", W2)
    show("b2", "(2,)", b2)

    title("Forward: from the sample to the loss")
    z1 = W1 @ x + b1
    show("z1", "W1 x + b1", z1, "each hidden unit adds up what it sees")
    h = np.tanh(z1)
    show("h", "tanh(z1)", h, "and squeezes it into (-1, 1)")
    z2 = W2 @ h + b2
    show("z2", "W2 h + b2", z2, "each class adds up the hidden units: the logits")
    q = np.exp(z2) / np.exp(z2).sum()
    show("q", "exp(z2) / sum(exp(z2))", q, "softmax: positive, and 1 in all")
    L = loss_of_q(q)
    show("L", f"-log(q[{target}])", L, "how surprised the network is by the true class")

    title("Backward: from the loss to every weight")
    if console.width >= 80:
        console.print(Text("By hand on the left, by finite differences on the right.\n", "dim"))
    dq = 0 - onehot / q
    check("dq", "0 - onehot / q", dq, "L = -log q[1]: only the true class counts, and d(log q) = 1/q", loss_of_q, q)
    dz2 = q - onehot
    check("dz2", "q - onehot", dz2, "through the softmax; all but this simple difference cancels", loss_of_z2, z2)
    dW2 = np.outer(dz2, h)
    check(
        "dW2",
        "outer(dz2, h)",
        dW2,
        "z2 = W2 h + b2: W2[c, j] moves z2[c] by h[j]",
        lambda W: loss_of_z2(W @ h + b2),
        W2,
    )
    check("db2", "dz2", dz2, "b2[c] moves z2[c] by 1", lambda b: loss_of_z2(W2 @ h + b), b2)
    dh = W2.T @ dz2
    check("dh", "W2^T dz2", dh, "h[j] moves every class c by W2[c, j]: add up over c", loss_of_h, h)
    dz1 = dh * (1 - h**2)
    check("dz1", "dh * (1 - h^2)", dz1, "h = tanh(z1), whose slope is 1 - tanh(z1)^2", loss_of_z1, z1)
    dW1 = np.outer(dz1, x)
    check("dW1", "outer(dz1, x)", dW1, "z1 = W1 x + b1: the same as for W2", lambda W: loss_of_z1(W @ x + b1), W1)
    check("db1", "dz1", dz1, "the same as for b2", lambda b: loss_of_z1(W1 @ x + b), b1)
    dx = W1.T @ dz1
    check(
        "dx",
        "W1^T dz1",
        dx,
        "the same as for h; there is nothing further down to need it",
        lambda v: loss_of_z1(W1 @ v + b1),
        x,
    )

    title("The same from scratchnet's layers")
    net = Network([Dense(3), Tanh(), Dense(2)], input_shape=(2,), backend="reference", dtype="float64")
    net.parameters.load({"0.W": W1, "0.b": b1, "2.W": W2, "2.b": b2})
    logits, tape = net.forward(x[None], training=True)
    value, dlogits = SoftmaxCrossEntropy()(logits, np.array([target]), tape)
    net.zero_grad()
    net_dx = net.backward(dlogits, tape, need_dx=True)
    g = net.gradients.views
    pairs = {"L": (np.array(L), value), "dW2": (dW2, g["2.W"]), "db2": (dz2, g["2.b"])}
    pairs |= {"dW1": (dW1, g["0.W"]), "db1": (dz1, g["0.b"]), "dx": (dx, net_dx[0])}
    for name, (mine, its) in pairs.items():
        console.print(Text.assemble(f"{name:<3}   ", compare(f"{name} of scratchnet", mine, its)))

    title("What a step does")
    lr = 0.1
    z1 = (W1 - lr * dW1) @ x + b1 - lr * dz1
    z2 = (W2 - lr * dW2) @ np.tanh(z1) + b2 - lr * dz2
    show("L", f"{L:.5f} before, after W -= {lr} dW and b -= {lr} db:", loss_of_z2(z2))
    if failures:
        console.print(Text(f"\nThese checks failed: {', '.join(failures)}", "bold red"))
    else:
        console.print(Text("\nEvery check agrees.", "bold green"))
    return 1 if failures else 0


if __name__ == "__main__":
    ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_args()  # there are none
    sys.exit(main())
