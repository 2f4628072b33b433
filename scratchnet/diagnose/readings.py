"""What the causes ask of a history. Each raises NotKnownError where it was not measured."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from scratchnet.train.history import History
from scratchnet.train.history.records import InputLook, Look, Measured, OutputLook, ParameterLook, SplitFacts

from .cause import known

RESIDUE = 1e-3  # of a loss that began in the order of one: errors of 32-bit numbers are no longer small beside it
BEGUN = 0.6  # of the loss of knowing nothing, at step 1: no fresh weights get below it on a whole batch
FAINT = 0.3  # std · √fan_in of weights next to 0, He's being 1.41
HELD_OUT = ("val", "valid", "validation", "test")
"""Names of splits that nothing is trained on."""


def looks(history: History) -> list[Look]:
    """All looks, at least one."""
    return known(history.looks or None, "looks at single steps (a Monitor records them)")


def first_look(history: History) -> Look:
    """The look at step 1, which sees the initial weights."""
    first = looks(history)[0]
    return known(first if first.step == 1 else None, "the first step")


def fresh_look(history: History) -> Look:
    """The look at step 1 of a network that knows nothing yet: else its weights are not as they were drawn."""
    look = first_look(history)
    loss = look.outputs.loss if look.outputs else None
    moved = any(p.std for p in look.parameters.values() if not p.fan_in)  # biases begin at 0, gains at 1
    begun = moved or (loss is not None and loss < BEGUN * prior(history))
    known(None if begun else True, "the weights before any training")
    return look


def inputs(look: Look) -> InputLook:
    """The batch of a look."""
    return known(look.inputs, "the inputs of a batch")


def outputs(look: Look) -> OutputLook:
    """The logits of a look."""
    return known(look.outputs, "the outputs of a batch")


def weights(look: Look) -> dict[str, ParameterLook]:
    """The parameters that have a fan: weights, and no biases, gains or shifts."""
    return known({n: p for n, p in look.parameters.items() if p.fan_in} or None, "the weights and their fans")


def grown(history: History) -> tuple[float, str, int]:
    """(times that its norm grew, name, last step) of the weight that grew the most; one that begins next to 0 must."""
    first, last = weights(looks(history)[0]), looks(history)[-1]
    begun = {name: p.weight for name, p in first.items()
             if p.weight and p.size and p.fan_in and p.weight * math.sqrt(p.fan_in / p.size) > FAINT}  # fmt: skip
    told = [(q.weight / w, name) for name, w in begun.items() if (q := last.parameters.get(name)) and q.weight]
    return (*max(told, default=(0.0, "")), last.step)


def train_facts(history: History) -> SplitFacts:
    """The training split."""
    return known(history.data.get("train"), "facts of the training data")


def held_out_facts(history: History) -> list[SplitFacts]:
    """Splits of which nothing is trained on, at least one."""
    found = [facts for name, facts in history.data.items() if name in HELD_OUT]
    return known(found or None, "facts of a validation or test split")


def held_out(history: History) -> list[tuple[str, list[tuple[int, Measured]]]]:
    """(name, measured by epoch) of validation and test, at least one of them; validation first."""
    found = [(name, history.measured(name)) for name in HELD_OUT]
    return known([(name, of) for name, of in found if of] or None, "a validation or test split measured by epoch")


def classes(history: History) -> int:
    """C, the number of classes that the network can name."""
    counted: list[int | None] = [look.outputs.classes for look in history.looks if look.outputs]
    counted += [facts.classes for facts in history.data.values()]
    counted += [len(m.matrix) for epoch in history.epochs for m in epoch.splits.values() if m.matrix]
    named = next((n for n in counted if n), None) or config_number(history, "classes", "num_classes", "n_classes")
    return int(known(named, "the number of classes"))


def config_number(history: History, *names: str) -> float | None:
    """The first of these settings that is a number."""
    values = (history.config.get(name) for name in names)
    return next((v for v in values if isinstance(v, int | float) and not isinstance(v, bool)), None)


def shares(counts: Sequence[int]) -> list[float]:
    """Counts as fractions of their sum."""
    total = sum(counts)
    return [n / total for n in counts] if total else []


def prior(history: History) -> float:
    """−Σ p ln p over the shares of the classes, or ln C: the loss of one who knows these shares and nothing else."""
    facts = history.data.get("train")
    if facts is not None and facts.class_counts and sum(facts.class_counts):
        return -sum(p * math.log(p) for p in shares(facts.class_counts) if p)
    return math.log(max(classes(history), 2))


def majority(history: History) -> float:
    """The share of the most frequent class: the accuracy of one who always names it."""
    facts = history.data.get("train")
    if facts is not None and facts.class_counts and sum(facts.class_counts):
        return max(shares(facts.class_counts))
    return 1 / max(classes(history), 2)


def accuracy(measured: Measured) -> float | None:
    """From exact counts where they are known."""
    if measured.correct is not None and measured.total:
        return measured.correct / measured.total
    return measured.accuracy


def step_of(history: History, index: int) -> str:
    """The step of losses[index] in words."""
    return f"step {1 + index * history.stride}"


def broken(history: History) -> int | None:
    """The index of the first loss that is not finite; a NaN that finite ones follow is a gap in what was recorded."""
    finite = [i for i, value in enumerate(history.losses) if math.isfinite(value)]
    last = finite[-1] if finite else -1
    return next((i for i, v in enumerate(history.losses) if math.isinf(v) or (v != v and i > last)), None)


def unsettled(history: History) -> list[Look]:
    """The looks at which some loss is left: without any, gradients are rounding, and tell nothing of the loop."""
    told = [look for look in looks(history) if look.loss is None or not abs(look.loss) < RESIDUE]
    return known(told or None, "gradients that are more than rounding")


def settings(text: object) -> tuple[str, dict[str, Any]]:
    """The name and the plain settings in a source: "SGD(lr=0.1, momentum=0.9)" -> "SGD", {"lr": 0.1, "momentum": 0.9}.

    Arguments without a name are called "0", "1", ...; what is no plain value is left out.
    """
    try:
        call = ast.parse(str(text), mode="eval").body
    except (SyntaxError, ValueError):
        return "", {}
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return "", {}
    given = {str(i): arg for i, arg in enumerate(call.args)} | {k.arg: k.value for k in call.keywords if k.arg}
    plain: dict[str, Any] = {}
    for name, node in given.items():
        try:
            plain[name] = ast.literal_eval(node)
        except ValueError:
            continue
    return call.func.id, plain


def optimizer(history: History) -> tuple[str, dict[str, Any]]:
    """The optimizer's name and settings."""
    told = history.config.get("optimizer")
    name, given = settings(told) if isinstance(told, str) else ("", {})
    return known((name, given) if name else None, "the optimizer's settings")


def is_cross_entropy(history: History) -> bool:
    """Whether the loop's loss is softmax cross-entropy, by its name."""
    return "crossentropy" in str(known(history.config.get("loss"), "the loss's name")).lower().replace("_", "")


def g(value: float, digits: int = 3) -> str:
    """A number as people read it: 3208.47 -> "3,210", 0.00001 -> "1e-05"."""
    return f"{float(f'{value:.{digits}g}'):,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.{digits}g}"


def pc(rate: float) -> str:
    """A rate in percent: 0.998 -> "99.8%"."""
    return f"{100 * rate:.3g}%"
