"""Number formats, pictures, the record, Ctrl-C, the line on what is compiled."""

import io
import json
import os
import signal

import numpy as np
import pytest
from rich.console import Console

from scratchnet.train import CtrlC, Record, RecordError, Report
from scratchnet.train.record import check_writable
from scratchnet.train.shown import pictures
from scratchnet.train.shown.formats import duration, number, percent
from scratchnet.train.shown.progress import CompilingBar
from scratchnet_kernels.compilation import Compilation


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.98123, "98.12%"), (1.0, "100%"), (0.0, "0%"), (0.999999, "99.99%"), (1e-9, "0.01%"), (None, "-")],
)
def test_percent_never_rounds_to_perfect(rate, text):
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (75, "1 min 15 s"), (3700, "1 h 1 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(3208.466, "3,208"), (1.3164, "1.316"), (0.012345, "0.01235"), (1e9, "1e+09")]
)
def test_number(value, text):
    assert number(value) == text


def bar(console):
    """A vertical bar of ink in the upper half of a 4 x 4 picture, as the console draws it."""
    shades = np.zeros((4, 4))
    shades[:3, 1] = 1
    return pictures.draw(shades, console).plain.split("\n")


def test_pictures_are_drawn_as_the_terminal_can():
    assert bar(Console(file=io.StringIO())) == [" █  ", " ▀  "]
    plain = Console(file=io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert bar(plain) == [" @  ", " +  "] or bar(plain) == [" @  ", " =  "]
    grey = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")
    shades = pictures.draw(np.array([[0.0, 1.0], [1.0, 0.0]]), grey)
    assert [str(span.style) for span in shades.spans] == [
        "rgb(0,0,0) on rgb(255,255,255)",
        "rgb(255,255,255) on rgb(0,0,0)",
    ]


def test_pictures_lose_their_empty_border_and_shrink_to_the_width():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 6:20] = 99
    images[1, 10:12, 5:21] = 255
    assert pictures.prepare(images, 80).shape == (2, 20, 16)
    assert pictures.prepare(images, 15).shape == (2, 10, 8)
    assert pictures.prepare(np.zeros((1, 5, 5), np.uint8), 80).shape == (1, 6, 6)


def test_pictures_are_cut_each_to_its_own_ink_and_lose_none_of_it():
    images = np.zeros((4, 28, 28), np.uint8)
    images[0, 0:6, 0:6] = 255  # in a corner
    images[1, 20:28, 21:28] = 255  # in the other
    images[2, 3:5, 3:5] = 255
    images[2, 27, 27] = 9  # noise; the last picture is empty
    shades = pictures.prepare(images, 80)
    assert shades.shape == (4, 8, 8)
    assert [int((picture == 1).sum()) for picture in shades] == [36, 56, 4, 0]


@pytest.mark.parametrize("extent", [8, 20, 28])
def test_samples_are_shown_at_any_width(monkeypatch, extent):
    images = np.full((4, extent, extent), 255, np.uint8)
    for width in range(8, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        out = io.StringIO()
        Report(file=out).samples(images, np.arange(4), np.eye(4)[[0, 1, 3, 2]], ["nil", "one", "two", "three"])
        assert out.getvalue().count("answer") == 3 + 2
        assert max(map(len, out.getvalue().splitlines())) <= width


def test_record_writes_what_json_can_say(tmp_path):
    record = Record({"lr": 0.1})
    record.set(losses=[1.0, float("nan")], test_accuracy=float("inf"), proof={"lr / 10": {"loss": float("nan")}})
    record.write(tmp_path / "f.json")
    read = json.loads((tmp_path / "f.json").read_text())
    assert (read["lr"], read["losses"], read["test_accuracy"]) == (0.1, [1.0, None], None)
    assert read["proof"] == {"lr / 10": {"loss": None}}


def test_record_leaves_the_old_file_where_it_cannot_write(tmp_path):
    path = tmp_path / "f.json"
    path.write_text("old")
    record = Record({"lr": object()})
    with pytest.raises(TypeError):
        record.write(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f.json"]
    with pytest.raises(RecordError, match="cannot be written"):
        Record({}).write(tmp_path / "nowhere" / "f.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with named pipes (not Windows)")
def test_record_writes_into_a_pipe_and_through_a_link(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    check_writable(tmp_path / "pipe")
    Record({"lr": 0.5}).write(tmp_path / "pipe")
    assert json.loads(os.read(reader, 1 << 16))["lr"] == 0.5
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()

    (tmp_path / "link").symlink_to(tmp_path / "target")
    Record({"lr": 0.5}).write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "target").read_text())["lr"] == 0.5


def test_check_writable_leaves_no_trace(tmp_path):
    check_writable(tmp_path / "f.json")
    assert os.listdir(tmp_path) == []
    with pytest.raises(RecordError, match="it is a folder"):
        check_writable(tmp_path)


def test_ctrl_c_is_heard_between_items():
    with CtrlC() as ctrl_c:
        items = ctrl_c.between([1, 2, 3])
        assert next(items) == 1
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(items)


def test_ctrl_c_after_the_last_item_and_the_second_time(capfd):
    before = signal.getsignal(signal.SIGINT)  # a shell's background jobs ignore it
    with CtrlC() as ctrl_c:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            list(ctrl_c.between([]))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr().err.count("again: at once") == 1


def test_report_survives_names_that_the_terminal_cannot_show():
    raw = io.BytesIO()
    report = Report(file=io.TextIOWrapper(raw, "ascii"))
    report.facts("Title", {"name": "[bold]Größe[/bold]"})
    report.console.file.flush()
    assert b"[bold]Gr??e[/bold]" in raw.getvalue()


def test_the_line_on_what_is_compiled_is_there_while_it_is():
    out = io.StringIO()
    bar = CompilingBar(console=Console(file=out, width=60), disable=True)
    compilation = Compilation(bar.compiles)
    assert len([*bar.get_renderables()]) == 1  # the bar's own table
    compilation.begin("scratchnet_kernels.cpu.conv2d")
    bar.console.print(bar.get_renderable())
    line, *more = out.getvalue().splitlines()
    assert line == "compiling kernels for this machine: conv2d (1 so far, 0.0 s…"  # cut where the terminal ends
    assert not more
    compilation.end()
    assert len([*bar.get_renderables()]) == 2  # a moment longer: another may follow
    compilation._ended -= 1
    assert len([*bar.get_renderables()]) == 1
