import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import SGD, Dense, Network, SoftmaxCrossEntropy
from scratchnet.train import HistoryError, Monitor, RecordError, RunDir, read_run
from scratchnet.train.history.codec import decode, encode
from scratchnet.train.history.history import History
from scratchnet.train.history.reading.run import records_of
from scratchnet.train.history.records import KINDS, End, Epoch, Event, LayerLook, Look, Losses, Measured, SplitFacts
from tests.train.records import records, same

RUN = [
    SplitFacts(split="train", samples=500, shape=(1, 28, 28), maximum=255.0),
    Look(step=1, loss=math.nan, layers=(LayerLook(path="0", dead=0.5),)),
    Losses(first=1, values=(2.5, math.inf, 1.5), lr=(0.1, 0.1, 0.1)),
    Event(step=2, what="nonfinite", where="2"),
    Epoch(epoch=1, splits={"val": Measured(loss=0.5, accuracy=0.75, correct=3, total=4, matrix=((1, 1), (0, 2)))}),
    Epoch(epoch=2, splits={"val": Measured(loss=0.75, accuracy=0.5, correct=2, total=4)}),
    End(how="finished", steps=3, fired={"spike": 0}),
]


def written(path, told, **how):
    with RunDir(path, {"lr": 0.1}, **how) as run:
        for record in told:
            run.write(record)
    return path


def all_of(told):
    """The records, as a history holds them."""
    return repr({**vars(History.of(told)), "config": 0, "source": 0, "notes": 0})


def refuse(remark):
    raise AssertionError(remark)


@given(records())
def test_a_record_comes_back_as_it_was(record):
    line = encode(record)
    assert "\n" not in line
    assert same(decode(json.loads(line), refuse), record)


def test_every_kind_is_drawn_and_has_a_name():
    drawn = set()
    given(records())(lambda record: drawn.add(type(record)))()
    assert drawn == set(KINDS.values())


@given(st.lists(records(), max_size=6))
def test_a_run_comes_back_as_it_was(tmp_path_factory, told):
    path = written(tmp_path_factory.mktemp("runs") / "run", told)
    back = list(records_of(path / "history.jsonl"))
    assert len(back) == len(told)
    assert all(map(same, back, told))


def test_the_history_is_the_one_that_was_told(tmp_path):
    history = read_run(written(tmp_path / "run", RUN))
    assert history.config == {"lr": 0.1}
    assert history.notes == []
    assert all_of(RUN) == repr({**vars(history), "config": 0, "source": 0, "notes": 0})
    assert read_run(tmp_path / "run" / "history.jsonl").looks == history.looks or math.isnan(history.looks[0].loss)


def test_numbers_of_numpy_are_written_as_numbers(tmp_path):
    look = Look(step=np.int64(3), loss=np.float32(0.5), training=np.bool_(True), lr=np.float64("nan"))
    (back,) = records_of(written(tmp_path / "run", [look]) / "history.jsonl")
    assert same(back, Look(step=3, loss=0.5, training=True, lr=math.nan))


def test_any_prefix_reads_with_at_most_its_last_line_lost(tmp_path):
    whole = (written(tmp_path / "run", RUN) / "history.jsonl").read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    cut = tmp_path / "run" / "history.jsonl"
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        back = list(records_of(cut))
        complete = sum(end <= size for end in ends)  # also one that lacks nothing but its end
        assert len(back) == complete, size
        assert all(map(same, back, RUN)), size
        broken = size > 0 and size not in ends and whole[size - 1] != ord("\n")
        assert any("broken off" in note for note in read_run(tmp_path / "run").notes) == broken, size


def test_a_killed_run_keeps_what_was_written(tmp_path):
    code = f"""
import os, signal
from scratchnet.train import RunDir
from scratchnet.train.history.records import Losses
run = RunDir({str(tmp_path / "run")!r})
for step in range(1, 51): run.write(Losses(first=step, values=(1 / step,)))
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert ended.returncode == -signal.SIGKILL
    history = read_run(tmp_path / "run")
    assert history.losses == [1 / step for step in range(1, 51)]
    assert history.end is None
    assert not (tmp_path / "run" / "summary.json").exists()


def test_the_summary_has_the_last_and_the_best(tmp_path):
    path = written(tmp_path / "run", RUN)
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["how"], summary["epochs"], summary["steps"]) == ("finished", 2, 3)
    assert summary["fired"] == {"spike": 0}
    assert summary["splits"]["val"] == {
        "last": {"epoch": 2, "loss": 0.75, "accuracy": 0.5, "correct": 2, "total": 4},
        "best": {"epoch": 1, "loss": 0.5, "accuracy": 0.75, "correct": 3, "total": 4},
    }
    assert sorted(entry.name for entry in path.iterdir()) == ["config.json", "history.jsonl", "summary.json"]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_no_best_and_no_zero(tmp_path, loss):
    told = [Epoch(epoch=n + 1, splits={"val": Measured(loss=v)}) for n, v in enumerate([loss, 3.0, loss])]
    summary = json.loads((written(tmp_path / "run", [*told, End(how="stopped")]) / "summary.json").read_text())
    assert summary["splits"]["val"]["best"]["epoch"] == 2
    assert summary["splits"]["val"]["last"]["loss"] == str(loss)


def test_a_run_is_never_overwritten(tmp_path):
    path = written(tmp_path / "run", RUN)
    before = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    with pytest.raises(RecordError, match="holds a run already"):
        RunDir(path)
    assert before == {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_a_run_is_taken_up_again(tmp_path):
    path = written(tmp_path / "run", RUN[:4])
    with open(path / "history.jsonl", "ab") as file:
        file.write(b'{"kind":"epoch","ep')  # the process was killed here
    with RunDir(path, resume=True) as run:
        for record in RUN[4:]:
            run.write(record)
    history = read_run(path)
    assert history.config == {"lr": 0.1}
    assert [epoch.epoch for epoch in history.epochs] == [1, 2]
    assert history.notes == ["line 5: left out, it is not JSON"]
    assert json.loads((path / "summary.json").read_text())["looks"] == 1


def test_what_is_told_again_takes_the_place_of_what_was(tmp_path):
    told = [Look(step=s, loss=float(s)) for s in (1, 2, 5)] + [Epoch(epoch=e, lr=1.0) for e in (1, 2)]
    path = written(tmp_path / "run", told)
    written(path, [Look(step=2, loss=9.0), Epoch(epoch=2, lr=2.0)], resume=True)
    history = read_run(path)
    assert [(look.step, look.loss) for look in history.looks] == [(1, 1.0), (2, 9.0)]
    assert [(epoch.epoch, epoch.lr) for epoch in history.epochs] == [(1, 1.0), (2, 2.0)]


def test_settings_of_any_kind_are_written(tmp_path):
    layers = [Dense(10)]
    RunDir(
        tmp_path / "run", {"layers": layers, "lr": np.float32(0.5), "x": math.nan, "at": tmp_path, 3: (1, 2)}
    ).close()
    config = read_run(tmp_path / "run").config
    assert config == {"layers": [repr(layers[0])], "lr": 0.5, "x": "nan", "at": repr(tmp_path), "3": [1, 2]}


def test_what_cannot_be_written_is_told_with_the_reason(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written"):
        RunDir(tmp_path / "file" / "run")
    run = RunDir(tmp_path / "run")
    run.close()
    run.close()
    with pytest.raises(RecordError, match="closed"):
        run.write(RUN[0])


def test_folders_without_a_run(tmp_path):
    with pytest.raises(HistoryError, match="holds no run"):
        read_run(tmp_path)
    with pytest.raises(HistoryError, match="no such run"):
        read_run(tmp_path / "nowhere")
    RunDir(tmp_path / "run").close()
    assert read_run(tmp_path / "run").notes == ["nothing was recorded of this run"]


def test_wrong_fields_are_left_out_and_told_once(tmp_path):
    path = written(tmp_path / "run", [])
    lines = [
        '{"kind":"look","step":1,"lr":"fast","loss":"nan","speed":3}',
        '{"kind":"look","step":2,"lr":"fast","layers":[{"units":3}]}',
        '{"kind":"look"}',
        '{"kind":"glance","step":1}',
        "[1, 2]",
        "nonsense",
        "[" * 100_000,
        '{"kind":"losses","first":0,"values":[1]}',
        '{"kind":"losses","first":1,"values":[1, 2]}',
    ]
    (path / "history.jsonl").write_text("\n".join(lines) + "\n")
    history = read_run(path)
    assert [look.step for look in history.looks] == [1, 2]
    assert history.looks[0].lr is None
    assert math.isnan(history.looks[0].loss)
    assert history.losses == [1.0, 2.0]
    assert [note.split(":")[0] for note in history.notes] == [f"line {n}" for n in (1, 1, 2, 3, 4, 5, 6, 8)]
    assert history.notes[0].endswith("is not a number (and 1 more)")


def test_a_monitor_tells_the_folder_what_the_run_is_made_of(tmp_path):
    net, loss, optimizer = Network(Dense(3), (4,), backend="reference"), SoftmaxCrossEntropy(), SGD(0.5)
    with RunDir(tmp_path / "run", {"lr": "mine"}) as run:
        Monitor(net, loss, optimizer, run=run, settings={"batch_size": 7})
    config = read_run(tmp_path / "run").config
    assert (config["optimizer"], config["layers"], config["batch_size"]) == (repr(optimizer), ["Dense(3)"], 7)
    assert config["lr"] == "mine"


def test_a_run_that_is_gone_on_with_keeps_its_configuration(tmp_path):
    written(tmp_path / "run", RUN[:1])
    with RunDir(tmp_path / "run", resume=True) as run:
        Monitor(Network(Dense(3), (4,), backend="reference"), SoftmaxCrossEntropy(), SGD(0.5), run=run)
    assert read_run(tmp_path / "run").config == {"lr": 0.1}
