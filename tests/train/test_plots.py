import math
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner

from scratchnet.check.optional import MissingPackageError
from scratchnet.cli import main
from scratchnet.cli.plot import names
from scratchnet.core.errors import ConfigError
from scratchnet.train import History, RunDir
from scratchnet.train.history.records import Epoch, Event, Look, Losses, Measured, ParameterLook
from scratchnet.train.shown.plot_classes import with_matrix
from scratchnet.train.shown.plots import panels_of, plot

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib: pip install .[plot]")


def records(seed=0, epochs=3, classes=10, layers=2, bad=False):
    draw = np.random.default_rng(seed)
    steps = 20 * epochs
    if bad:
        yield Event(step=31, what="nonfinite")
    yield Losses(first=1, values=tuple(2.3 * 0.95**i if i < 30 or not bad else math.nan for i in range(steps)))
    for step in (1, 2, 5, 10, steps):
        parameters = {
            f"{i}.{name}": ParameterLook(
                gradient=math.inf if bad and step > 5 else float(draw.random()),
                weight=1.0,
                update=0.0 if bad else float(draw.random()) / 100,
                fan_in=3 if name == "W" else None,
            )
            for i in range(layers)
            for name in "Wb"
        }
        yield Look(step=step, parameters=parameters)
    for epoch in range(1, epochs + 1):
        matrix = draw.integers(0, 50, (classes, classes)) + 200 * np.eye(classes, dtype=int)
        matrix[0] = 0  # a class without samples
        counts = tuple(map(tuple, matrix.tolist()))
        lost = math.nan if bad and epoch > 1 else 2.0 / epoch
        splits = {"train": Measured(loss=lost, accuracy=0.5), "val": Measured(loss=lost, accuracy=0.25, matrix=counts)}
        yield Epoch(epoch=epoch, batches=20, splits=splits)


def drawn(monkeypatch, tmp_path, runs, name="run.png"):
    """The figure that was saved."""
    from matplotlib.figure import Figure

    seen = []
    save = Figure.savefig

    def spy(figure, *args, **how):
        save(figure, *args, **how)
        seen.append(figure)

    monkeypatch.setattr(Figure, "savefig", spy)
    assert plot(runs, tmp_path / name) == tmp_path / name
    assert (tmp_path / name).stat().st_size > 1000
    return seen[0]


SETS = {
    "one": {"mlp": {}},
    "three": {"mlp": {}, "a long name of a run": {"seed": 1, "classes": 4}, "bad": {"seed": 2, "bad": True}},
    "bad alone": {"bad": {"bad": True}},
    "deep, many classes": {"deep": {"layers": 20, "classes": 100}},
    "one epoch": {"short": {"epochs": 1, "classes": 2}},
}


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize("which", SETS)
def test_no_text_lies_on_another_or_outside(which, suffix, tmp_path, monkeypatch):
    runs = {name: History.of(records(**how)) for name, how in SETS[which].items()}
    figure = drawn(monkeypatch, tmp_path, runs, f"run.{suffix}")
    figure.canvas.draw()
    texts = [(text.get_text(), text.get_window_extent()) for axes in figure.axes for text in texts_of(axes)]
    assert len(texts) > 20
    for i, (one, box) in enumerate(texts):
        assert box.x0 >= -1, one
        assert box.y0 >= -1, one
        assert box.x1 <= figure.bbox.x1 + 1, one
        assert box.y1 <= figure.bbox.y1 + 1, one
        for other, beside in texts[:i]:
            wide, high = (
                min(box.x1, beside.x1) - max(box.x0, beside.x0),
                min(box.y1, beside.y1) - max(box.y0, beside.y0),
            )
            assert min(wide, high) <= 1, (one, other)


def texts_of(axes):
    """Title, names of axes, the ticks that can be seen, the legend."""
    found = [axes.title, axes.xaxis.label, axes.yaxis.label]
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        found += [tick.label2 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    found += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in found if text.get_text() and text.get_visible()]


def test_every_run_and_split_is_named(tmp_path, monkeypatch):
    runs = {"a": History.of(records()), "b": History.of(records(seed=1))}
    figure = drawn(monkeypatch, tmp_path, runs)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["Loss", "Accuracy"]
    assert "Confusion: a, val, epoch 3" in titles
    assert "Confusion: b, val, epoch 3" in titles
    named = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert named == ["a, train", "a, val", "b, train", "b, val"]


def test_what_is_not_finite_is_marked(tmp_path, monkeypatch):
    figure = drawn(monkeypatch, tmp_path, {"bad": History.of(records(bad=True))})
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "Loss  (×: not finite)"
    assert titles[2] == "Gradient norm  (×: not finite)"
    assert titles[3] == "Update / weight  (▾: 0)"
    marks = [line for line in figure.axes[0].get_lines() if line.get_marker() == "x"]
    assert {tuple(line.get_xdata()) for line in marks} == {(2.0, 3.0), tuple(s / 20 for s in range(31, 61))}


def test_the_matrix_is_of_the_last_epoch_and_of_validation_first():
    def measured(n):
        return Measured(matrix=((n, 0), (0, n)))

    epochs = [
        Epoch(epoch=1, splits={"val": measured(1)}),
        Epoch(epoch=2, splits={"train": measured(2), "val": measured(3)}),
    ]
    matrix = with_matrix(History.of([*epochs, Epoch(epoch=3, splits={"val": Measured(loss=1.0)})]))
    assert (matrix.counts.tolist(), matrix.where) == ([[3, 0], [0, 3]], "val, epoch 2")
    assert with_matrix(History()) is None


def test_what_was_not_recorded_is_left_out(tmp_path):
    assert len(panels_of({"a": History.of([Losses(first=1, values=(1.0,))])})) == 1
    with pytest.raises(ConfigError, match="nothing to draw"):
        plot({"a": History()}, tmp_path / "a.png")
    with pytest.raises(ConfigError, match="PNG or an SVG"):
        plot({"a": History()}, tmp_path / "a.jpg")


def test_without_matplotlib_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"scratchnet\[plot\]"):
        plot({"a": History.of(records())}, tmp_path / "a.png")


def test_matplotlib_is_not_imported_before_it_is_used():
    code = "import sys, scratchnet.train.shown.plots, scratchnet.cli.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_the_same_runs_give_the_same_file(tmp_path):
    for name in ("a.svg", "b.svg"):
        plot({"a": History.of(records())}, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_command(tmp_path):
    for name in ("x/run", "y/run"):
        with RunDir(tmp_path / name) as run:
            for record in records():
                run.write(record)
    paths = [str(tmp_path / "x" / "run"), str(tmp_path / "y" / "run")]
    assert names(paths) == ["x/run", "y/run"]
    assert names(paths[:1] * 2) == ["run (1)", "run (2)"]
    out = tmp_path / "both.svg"
    result = CliRunner().invoke(main, ["plot", *paths, "-o", str(out)])
    assert (result.exit_code, result.output) == (0, f"drawn: {out}\n")
    for wrong in (["plot", str(tmp_path / "no")], ["plot", paths[0], "-o", str(tmp_path / "no" / "a.png")]):
        result = CliRunner().invoke(main, wrong)
        assert result.exit_code == 2
        assert result.output.startswith("error: ")
