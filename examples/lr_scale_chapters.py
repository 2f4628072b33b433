"""The chapters of lr_scale_debugging.py: each measures something, prints it and writes it down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import SGD, Network
from scratchnet.check.optional import missing
from scratchnet.diagnose import diagnose, prove
from scratchnet.diagnose.page import write_page
from scratchnet.diagnose.report import show
from scratchnet.train import NonFiniteError, Recipe
from scratchnet.train.history.records import Look
from scratchnet.train.shown.formats import number, percent

if TYPE_CHECKING:
    from lr_scale_debugging import Case, Run

RATES = [10.0**power for power in range(-6, 1)]


def symptom(case: Case) -> Run:
    text = f"Pixels of 0..255, LR {case.rate}, one image a step, {len(case.data.train)} images."
    case.chapter("1. The symptom", text)
    broken = case.train()
    if broken.accuracy is None:
        raise NonFiniteError("the first run broke off", actual=broken.history.end.message, hint="take another --seed")
    case.table("epoch", "test accuracy", rows=[(e, percent(c.accuracy)) for e, c in enumerate(broken.tests, 1)])
    case.report.classes(broken.tests[-1], case.data.class_names)
    case.record.set(as_it_was=[c.accuracy for c in broken.tests], answers=broken.tests[-1].predicted)
    return broken


def the_data(case: Case, broken: Run) -> None:
    case.chapter("2. Is it the data?", "Are the classes so uneven that naming one of them pays?")
    case.report.data(case.data)
    shares = np.bincount(case.data.train.y, minlength=case.data.classes) / len(case.data.train)
    answers = np.array(broken.tests[-1].predicted) / len(case.data.test)
    most = int(answers.argmax())
    text = (
        f"{case.data.class_names[most]!r} is {percent(shares[most], 1)} of what it learned from, and no class is more"
    )
    text += (
        f" than {percent(shares.max(), 1)}; it is {percent(answers[most], 1)} of what it answers. To name it always is"
    )
    case.report.line(f"{text} right for {percent(float(np.mean(case.data.test.y == most)))} of the test images.")


def gradients(case: Case, broken: Run, cured: Run) -> None:
    text = "For one sample dW = d xᵀ and db = d: whatever the error d, ‖dW‖/‖db‖ is the norm of the layer's input."
    case.chapter("3. Why are the gradients so large?", text)
    looks = broken.history.looks
    at = next((i for i, look in enumerate(looks) if all(p.gradient for p in look.parameters.values())), 0)
    raw, unit = (
        factors(looks[at]),
        factors(cured.history.looks[at]),
    )  # a sample that happens to be right has no gradient
    case.table(
        f"step {looks[at].step}",
        "0..255",
        "/ 255",
        rows=[(name, number(raw[name]), number(unit[name])) for name in raw],
    )
    text = f"A softmax that is sure of a wrong class has ‖db2‖ = √2 = {number(2**0.5)}: the error is of order 1 in both"
    text += (
        f" runs. The factor of {number(raw['‖dW1‖/‖db1‖'])} is the image. A norm alone says little: a rule like 'above"
    )
    text += f" 10 it explodes' would {'stop' if unit['‖dW1‖'] > 10 else 'just pass'} the run that will learn, with its"
    case.report.line(f"{text} {number(unit['‖dW1‖'])}.")
    case.record.set(first_step=raw, first_step_scaled=unit)


def factors(look: Look) -> dict[str, float]:
    """The gradients of a step, as the monitor saw them, and what the layers were given."""
    found: dict[str, float] = {}
    for n, W, b, name in ((1, "1.W", "1.b", "‖x‖"), (2, "3.W", "3.b", "‖h‖")):
        dW, db = look.parameters[W].gradient, look.parameters[b].gradient
        found |= {f"‖dW{n}‖": dW, f"‖db{n}‖": db, f"‖dW{n}‖/‖db{n}‖": dW / db if db else 0.0}
        found[name] = look.parameters[W].input
    return found


def dead_units(case: Case, broken: Run) -> None:
    case.chapter("4. What did the first steps do?", "Where a ReLU puts out 0, no gradient comes through.")
    looks = [look for look in broken.history.looks if look.step in (1, 2, 3, 5, 10, 20, 50, 100)]
    steps = [look.parameters["1.W"].update / look.parameters["1.W"].weight for look in looks]
    rows = [(look.step, number(look.loss), percent(look.layers[2].zero, 1), number(step))
            for look, step in zip(looks, steps, strict=True)]  # fmt: skip
    case.table("step", "loss", "of the ReLU at 0", "‖ΔW1‖/‖W1‖", rows=rows)
    zeros = float(np.mean(hidden(case.train(epochs=1).net, case.raw) == 0))
    text = f"A step moved W1 by {number(max(steps))} times its norm; 0.001 is usual. After an epoch {percent(zeros)} of"
    text += (
        " the hidden outputs on the test images are 0. Where all are, only the last bias still learns, and all it can"
    )
    case.report.line(f"{text} learn is how often each class comes.")
    case.record.set(zeros_after_an_epoch=zeros, longest_step=max(steps))


def hidden(net: Network, recipe: Recipe) -> np.ndarray:
    """What the ReLU puts out on the test images, (N, 128)."""
    W, b = net.parameters.views["1.W"], net.parameters.views["1.b"]
    batches = recipe.batches(recipe.test).epoch(0)
    return np.concatenate([np.maximum(x.reshape(len(x), -1) @ W.T + b, 0) for x, _ in batches])


def explanations(case: Case, broken: Run, fixed: Run, cured: Run) -> None:
    case.chapter("5. Three explanations, tested", "One thing is changed each time, all else is as it was.")
    rows = [("as it was", broken)]
    rows += [(f"LR too high: LR / {n}", case.train(optimizer=SGD(case.rate / n))) for n in (10, 100)]
    rows += [("LR too high: LR / 1000", fixed), ("inputs unscaled: pixels / 255", cured)]
    case.table("explanation", "test accuracy", rows=[(name, percent(run.accuracy)) for name, run in rows])
    right, wrong = vanished(case, fixed)
    case.report.line("\nVanishing gradients were read from one sample, at LR / 1000. Of every sample they are:")
    rows = [(name, len(of), number(float(np.median(of)))) for name, of in (("right", right), ("wrong", wrong)) if of]
    case.table("its answer", "samples", "median ‖dW1‖", rows=rows)
    if right and wrong and np.median(wrong) > np.median(right):
        case.report.line("What is known by heart has no gradient left; what is not has a large one. Nothing vanished.")
    case.record.set(norms_right=right, norms_wrong=wrong)


def vanished(case: Case, run: Run) -> tuple[list[float], list[float]]:
    """‖dW1‖ of each training sample, under the final weights: of those answered rightly, and of the others."""
    norms: tuple[list[float], list[float]] = ([], [])
    for x, y in case.ctrl_c.between(case.raw.batches(case.raw.train).epoch(1)):
        logits, tape = run.net.forward(x, training=False)
        _, dlogits = case.raw.loss(logits, y, tape)
        run.net.zero_grad()
        run.net.backward(dlogits, tape)
        norms[int(logits.argmax() != y[0])].append(float(np.linalg.norm(run.net.gradients.views["1.W"])))
    return norms


def sweep(case: Case, plots: str | None) -> None:
    case.chapter("6. Any learning rate", "Test accuracy at every rate, on pixels as they are and on scaled ones.")
    found: dict[str, list[float | None]] = {"0..255": [], "/ 255": []}
    for rate in RATES:
        for name, scale in (("0..255", 1.0), ("/ 255", 1 / 255)):
            found[name].append(case.train(optimizer=SGD(rate), scale=scale).accuracy)
        case.record.set(sweep_rates=RATES[: len(found["0..255"])], sweep=found["0..255"], sweep_scaled=found["/ 255"])
    rows = [(f"{rate:g}", *map(percent, both)) for rate, *both in zip(RATES, *found.values(), strict=True)]
    best = [percent(max((a for a in of if a is not None), default=None)) for of in found.values()]
    case.table("LR", *found, rows=[*rows, ("at best", *best)])
    if plots:
        picture(Path(plots) / "sweep.png", "learning rate", RATES, found)


def fix_and_cure(case: Case, plots: str | None, broken: Run, fixed: Run, cured: Run) -> None:
    text = f"Test accuracy by epoch. The fix is LR {case.rate / 1000:g}, the cure pixels / 255."
    case.chapter("7. The fix beside the cure", text)
    runs = {"as it was": broken, "the fix": fixed, "the cure": cured}
    found = {name: [c.accuracy for c in run.tests] for name, run in runs.items()}
    epochs = range(1, case.raw.epochs + 1)
    rows = [(epoch, *map(percent, each)) for epoch, *each in zip(epochs, *found.values(), strict=True)]
    case.table("epoch", *found, rows=rows)
    if plots:
        picture(Path(plots) / "epochs.png", "epoch", epochs, found)
    case.record.set(fixed=found["the fix"], cured=found["the cure"], test_accuracy=cured.accuracy, epochs=len(epochs))


def verdict(case: Case, broken: Run, html: str | None) -> None:
    case.chapter("8. The doctor", "What the records of the first run say, and the experiments that follow from it.")
    diagnosis = prove(diagnose(broken.history), case.raw, report=case.report)
    case.record.set(diagnosis=diagnosis.as_dict())
    if not case.report.quiet:
        show(diagnosis, case.report.console.file)
    if html:
        write_page(html, broken.history, diagnosis)
    case.report.result(f"first cause: {diagnosis.order[0] if diagnosis.order else 'none found'}")
    if diagnosis.proof and diagnosis.proof.interrupted:
        raise KeyboardInterrupt


def picture(path: Path, across: str, at: Any, found: dict[str, list[float | None]]) -> None:
    """Accuracy over something, a line for each name. A run that broke off has no point."""
    figure = new_figure()
    axes = figure.add_subplot(xlabel=across, ylabel="test accuracy", ylim=(0, 1))
    if across == "learning rate":
        axes.set_xscale("log")
    for name, of in found.items():
        axes.plot(at, [np.nan if a is None else a for a in of], marker="o", label=name)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


def new_figure() -> Any:
    """A figure of matplotlib's. Raises MissingPackageError where that is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing("a picture", "matplotlib", "plot") from error
    return Figure(figsize=(7, 4), layout="constrained")
