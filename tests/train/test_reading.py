"""What other programs wrote of a run, and what nobody wrote on purpose."""

import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.train import History, HistoryError, read_run
from scratchnet.train.history.reading import gather, lines
from scratchnet.train.history.reading.document import mended
from scratchnet.train.history.reading.names import meaning
from scratchnet.train.history.records import Epoch, Event, Look, Measured

NAN = math.nan


def read(tmp_path, told, name="run.log"):
    path = tmp_path / name
    path.write_bytes(told if isinstance(told, bytes) else told.encode())
    return read_run(path)


def figures(history):
    """{epoch: {"train loss": 0.5, ...}}."""
    return {
        epoch.epoch: {
            f"{split} {name}": value
            for split, measured in epoch.splits.items()
            for name, value in vars(measured).items()
            if value is not None and name != "rounded"
        }
        for epoch in history.epochs
    }


def same(a, b):
    """Equal, where NaN equals NaN."""
    return [[n, *sorted(map(repr, f.items()))] for n, f in a.items()] == [
        [n, *sorted(map(repr, f.items()))] for n, f in b.items()
    ]


@pytest.mark.parametrize(
    ("name", "is_"),
    [
        ("loss", (None, "loss")),
        ("val_loss", ("val", "loss")),
        ("valLoss", ("val", "loss")),
        ("Loss/train", ("train", "loss")),
        ("train_accuracies", ("train", "accuracy")),
        ("sparse_categorical_accuracy", (None, "accuracy")),
        ("acc@1", (None, "accuracy")),
        ("test top-5 acc", ("test", "top5")),
        ("eval_loss_epoch", ("val", "loss")),
        ("average loss", (None, "loss")),
        ("batch_size", (None, "batch_size")),
        ("validation", ("val", None)),
        ("kl_loss", (None, None)),
        ("val_f1", (None, None)),
    ],
)
def test_what_names_mean(name, is_):
    assert meaning(name) == is_


LOGS = {
    "one line": (
        "Epoch 3/15 loss: 0.41 acc: 97.1% val_loss: nan val_acc: 96%\n",
        {3: {"train loss": 0.41, "train accuracy": 0.971, "val loss": NAN, "val accuracy": 0.96}},
    ),
    "Keras": (
        "Epoch 1/2\n  1/938 [.....] - ETA: 5s - loss: 2.4\r938/938 [=====] - 2s 2ms/step - loss: 0.4 - accuracy: 0.9\n"
        "Epoch 2/2\n\x1b[1m938/938\x1b[0m ━━━ 2s 2ms/step - loss: 0.3 - accuracy: 1.0 - val_accuracy: 0.95\n",
        {
            1: {"train loss": 0.4, "train accuracy": 0.9},
            2: {"train loss": 0.3, "train accuracy": 1.0, "val accuracy": 0.95},
        },
    ),
    "PyTorch's example": (
        "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.3\nTrain Epoch: 1 [640/60000 (1%)]\tLoss: 1.2\n\n"
        "Test set: Average loss: 0.05, Accuracy: 9828/10000 (98%)\n",
        {1: {"test loss": 0.05, "test accuracy": 0.9828, "test correct": 9828, "test total": 10000}},
    ),
    "Hugging Face": (
        "{'loss': 0.5, 'grad_norm': 1.2, 'learning_rate': 5e-05, 'epoch': 0.5}\n"
        "{'loss': 0.4, 'learning_rate': 4e-05, 'epoch': 1.0}\n{'eval_loss': 0.45, 'eval_acc': 0.9, 'epoch': 1.0}\n",
        {1: {"val loss": 0.45, "val accuracy": 0.9}},
    ),
    "a table": (
        "epoch,accuracy,loss,val_loss\n0,0.9,0.4,0.35\n1,0.92,0.3,inf\n",
        {
            1: {"train accuracy": 0.9, "train loss": 0.4, "val loss": 0.35},
            2: {"train accuracy": 0.92, "train loss": 0.3, "val loss": math.inf},
        },
    ),
    "two lines an epoch": (
        "Epoch 1/15\nTrain Loss: 8.69, Train Acc: 0.20%\nVal Loss: 9.5393, Val Acc: 0.00%\n"
        "Epoch 2/15\nTrain Loss: 7.69, Train Acc: 2.42%\nVal Loss: 9.5393, Val Acc: 0.00%\n",
        {
            1: {"train loss": 8.69, "train accuracy": 0.002, "val loss": 9.5393, "val accuracy": 0.0},
            2: {"train loss": 7.69, "train accuracy": 0.0242, "val loss": 9.5393, "val accuracy": 0.0},
        },
    ),
    "no epoch is named": (
        "train loss 2.3 acc 0.1\nval loss 2.2 acc 0.2\ntrain loss 2.1 acc 0.3\n",
        {
            1: {"train loss": 2.3, "train accuracy": 0.1, "val loss": 2.2, "val accuracy": 0.2},
            2: {"train loss": 2.1, "train accuracy": 0.3},
        },
    ),
    "a number behind a hyphen": ("epoch-3 loss 0.5 top-5 acc 0.75\n", {3: {"train loss": 0.5}}),
    "a last line that tells of the end": (
        "epoch 1/1 loss 0.5 train 48.00%\n\naccuracy on drawn: train 54.50%, test 40.00%\n",
        {1: {"train loss": 0.5, "train accuracy": 0.48, "test accuracy": 0.4}},
    ),
    "best ones": (
        "epoch 1 val_loss 0.4\nValidation loss decreased (inf --> 0.4). Saving model\nbest val_loss: 0.1\n"
        "Epoch 00002: val_loss improved from 0.4 to 0.38, saving\nepoch 2 val_loss 0.38\n",
        {1: {"val loss": 0.4}, 2: {"val loss": 0.38}},
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_logs(tmp_path, name):
    text, told = LOGS[name]
    assert same(figures(read(tmp_path, text)), told)


def test_case_1_as_a_log_has_its_gradients_and_its_learning_rate(tmp_path):
    text = "Training on 500 samples, learning rate: 0.01\n" + (
        "gradients: L1_W=3208.466 L1_b=1.316 L2_W=1246.646 L2_b=1.414\nEpoch 1/5: test accuracy = 10.9%\n"
    )
    history = read(tmp_path, text)
    assert history.config == {"lr": 0.01, "epochs": 5}
    assert history.data["train"].samples == 500
    (look,) = history.looks
    assert {name: one.gradient for name, one in look.parameters.items()} == {
        **{"L1.W": 3208.466, "L1.b": 1.316},
        **{"L2.W": 1246.646, "L2.b": 1.414},
    }
    assert history.measured("test") == [(1, Measured(accuracy=0.109, rounded=0.001))]


def test_percentages_that_are_not_finite(tmp_path):
    history = read(tmp_path, "epoch 1 val inf% test nan%\n")
    assert same(figures(history), {1: {"val accuracy": math.inf, "test accuracy": NAN}})


def test_losses_of_steps(tmp_path):
    history = read(tmp_path, LOGS["PyTorch's example"][0] + "Train Epoch: 2 [0/60000 (0%)] Loss: nan\n")
    assert (history.losses[:2], history.stride) == ([2.3, 1.2], 640)
    assert math.isnan(history.losses[2])
    assert [(event.step, event.what) for event in history.events] == [(1280, "nonfinite")]
    assert read(tmp_path, "loss: 2.3\nloss: 2.2\nloss: 2.1\n").losses == [2.3, 2.2, 2.1]
    assert read(tmp_path, "loss: 1.5\n" * 2000).losses == [1.5] * 2000
    history = read(
        tmp_path, "Epoch [1/3], Step [100/600], Loss: 0.4, lr: 0.1\nEpoch [1/3], Step [200/600], Loss: 0.3\n"
    )
    assert (history.losses, history.lrs, history.stride) == ([0.4, 0.3], [0.1], 100)


def test_how_it_ended(tmp_path):
    text = "epoch 1 loss 0.5\nTraceback (most recent call last):\n  File x, line 3\nValueError: the loss is nan\n"
    assert read(tmp_path, text).end.message == "ValueError: the loss is nan"
    assert read(tmp_path, text.replace("ValueError", "KeyboardInterrupt")).end.how == "interrupted"
    assert read(tmp_path, "epoch 1 loss 0.5\n").end is None


def test_an_accuracy_beside_nothing_is_of_no_split_that_is_known(tmp_path):
    history = read(tmp_path, "Epoch 1: accuracy 10.9%\n")
    assert figures(history) == {1: {"unnamed accuracy": 0.109}}
    assert any("not said to be of" in note for note in history.notes)


ZEROS = {"train_loss": [0.0] * 3, "train_acc": [0.0] * 3, "val_loss": [9.5393] * 3, "val_acc": [0.0] * 3}
DOCUMENTS = {
    "Keras": (
        {"loss": [2.3, NAN], "val_accuracy": [0.1, 0.5]},
        {1: {"train loss": 2.3, "val accuracy": 0.1}, 2: {"train loss": NAN, "val accuracy": 0.5}},
    ),
    "zeros stay zeros": (
        {"history": ZEROS},
        {n: {"train loss": 0.0, "train accuracy": 0.0, "val loss": 9.5393, "val accuracy": 0.0} for n in (1, 2, 3)},
    ),
    "epochs": (
        [{"epoch": 0, "train": {"loss": 1.5}, "val": {"correct": 12, "total": 496}}, {"epoch": 1, "train_loss": "inf"}],
        {1: {"train loss": 1.5, "val correct": 12, "val total": 496}, 2: {"train loss": math.inf}},
    ),
    "epochs by number": (
        {"epochs": {"2": {"loss": 1}, "10": {"loss": 0.5}}},
        {2: {"train loss": 1.0}, 10: {"train loss": 0.5}},
    ),
    "a data frame": ({"loss": {"0": 2.3, "1": 1.9}}, {1: {"train loss": 2.3}, 2: {"train loss": 1.9}}),
    "percentages": (
        {"loss": [1, 2], "acc": [10, 97.1], "val_acc": ["0.5", None]},
        {
            1: {"train loss": 1.0, "train accuracy": 0.1, "val accuracy": 0.005},
            2: {"train loss": 2.0, "train accuracy": 0.971},
        },
    ),
    "one epoch only": ({"loss": [2.3]}, {1: {"train loss": 2.3}}),
    "NaN everywhere": (
        {"loss": [NAN] * 2, "acc": [NAN] * 2},
        {n: {"train loss": NAN, "train accuracy": NAN} for n in (1, 2)},
    ),
    "uneven": ({"loss": [2, 1], "val_loss": [3]}, {1: {"train loss": 2.0, "val loss": 3.0}, 2: {"train loss": 1.0}}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_documents(tmp_path, name, indent):
    document, told = DOCUMENTS[name]
    assert same(figures(read(tmp_path, json.dumps(document, indent=indent), "history.json")), told)


def test_a_list_of_the_losses_of_steps(tmp_path):
    history = read(tmp_path, json.dumps({"loss": [3, 2] * 10, "val_acc": [0.25, 0.5]}))
    assert history.losses == [3, 2] * 10
    assert figures(history) == {1: {"val accuracy": 0.25}, 2: {"val accuracy": 0.5}}


def test_the_file_of_the_examples(tmp_path):
    flat = {"lr": 0.1, "epochs": 2, "losses": [2.0, None], "val_accuracies": [0.5, 0.25], "stopped": "the loss is NaN"}
    history = read(tmp_path, json.dumps(flat, indent=2))
    assert figures(history) == {1: {"train loss": 2.0, "val accuracy": 0.5}, 2: {"val accuracy": 0.25}}
    assert (history.config["lr"], history.end.how, history.end.message) == (0.1, "stopped", "the loss is NaN")


def test_objects_a_line(tmp_path):
    text = '{"step": 100, "loss": 2.3}\n{"step": 200, "loss": "NaN"}\nnonsense\n{"epoch": 1, "val_loss": 2}\n{"step": 3'
    history = read(tmp_path, text)
    assert (history.losses[0], history.stride, figures(history)) == (2.3, 100, {1: {"val loss": 2.0}})
    assert read(tmp_path, '{"kind": "epoch", "epoch": 4}').epochs == [Epoch(epoch=4)]


def test_how_far_an_accuracy_is_rounded(tmp_path):
    (_, a), (_, b) = read(tmp_path, "epoch 1 loss 1 acc 2.42%\nepoch 2 loss 1 acc 2.5%\n").measured("train")
    assert (a.rounded, b.rounded) == (1e-4, 1e-4)
    (_, exact), _ = read(tmp_path, '{"loss": [1, 1], "acc": [0.3333333333333333, 0.5]}').measured("train")
    assert exact.rounded is None


@given(st.data())
def test_any_prefix_of_a_document_tells_what_was_whole(data):
    document = {"lr": 0.1, "loss": [2.5, 1.5, 0.5], "val": {"acc": [0.25, 0.5], "name": 'a "[quoted]" \\ text,'}}
    text = json.dumps(document, indent=data.draw(st.sampled_from([None, 1])))
    cut = data.draw(st.integers(0, len(text) - 1))
    part = mended(text[:cut])
    assert part is None or part["lr"] == 0.1
    whole = text[:cut].count(",", text.index("[") if "[" in text[:cut] else cut)
    if part is not None and "loss" in part:
        assert part["loss"] == document["loss"][: len(part["loss"])]
        assert len(part["loss"]) >= min(whole, 3)


def test_a_document_that_breaks_off(tmp_path):
    history = read(tmp_path, '{\n "loss": [2.3, 1.9, 1.')
    assert figures(history) == {1: {"train loss": 2.3}, 2: {"train loss": 1.9}}
    assert history.notes == ["the file breaks off; it is read up to there"]
    assert mended('{"loss": [2.3, 1.9], "note": "a, b') == {"loss": [2.3, 1.9]}


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (bytes(range(256)) * 40, "the file is not text"),
        (gzip.compress(b"epoch 1 loss 2", mtime=0), "unpack it first"),
        (b"\x80\x04\x95" + b"a" * 100, "a pickle"),
        (b"PK\x03\x04" + b"a" * 100, "a zip archive"),
        (b"hello\nworld 3\n", "it begins with 'hello'"),
        (b"[1, 2, 3]", "nothing in the file tells of a run"),
        (b"null", "nothing in the file"),
        (b"[" * 100_000, "nothing in the file"),
        (b'{"loss": []}', "nothing in the file"),
        (b'{"a": "b"}\n{"c": "d"}', "nothing in the file"),
        (b"\0" * 5000, "the file is not text"),
        (b"lr 0.1 steps 99", "nothing in the file"),
    ],
)
def test_what_tells_of_no_run_is_refused_with_the_reason(tmp_path, told, what):
    with pytest.raises(HistoryError, match=what):
        read(tmp_path, told)


@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:0.1e naepochls\n/%', max_size=80).map(str.encode))
def test_nothing_but_a_history_or_its_error_comes_out(tmp_path_factory, told):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(told)
    try:
        came = read_run(path)
    except HistoryError as error:
        came = error
    assert isinstance(came, History) or str(path) in str(came)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    history = read(tmp_path, "Größe: 3\nepoch 1 loss 0.5\n".encode(encoding))
    assert figures(history) == {1: {"train loss": 0.5}}
    assert bool(history.notes) == (encoding == "latin-1")


def test_lines_too_long_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 100)
    history = read(tmp_path, "epoch 1 loss 0.5\n" + "epoch 2 loss 0.25 " * 1000 + "\nepoch 3 loss 0.125\n")
    assert list(figures(history)) == [1, 3]
    assert history.notes[0].startswith("line 2: left out, it is longer than")


def test_series_of_any_length_are_thinned_out():
    series = gather.Series(most=8)
    for first in range(1, 40, 3):
        series.put(first, [float(first), NAN if first == 25 else first + 1.0, first + 2.0])
    assert series.stride == 8
    assert series.values[:3] == [1.0, 9.0, 17.0]
    assert math.isnan(series.values[3])  # steps 25 to 32, of which 26 was NaN
    series.put(10**9, [5.0])
    assert len(series.values) <= 8
    assert series.values[-1] == 5.0


@given(st.lists(st.tuples(st.integers(1, 300), st.lists(st.floats(), max_size=9)), max_size=12))
def test_a_series_is_the_same_as_a_list_until_it_is_full(parts):
    series, plain = gather.Series(most=512), History()
    for first, values in parts:
        series.put(first, values)
        if values:
            plain.losses.extend([NAN] * (first - 1 - len(plain.losses)))
            plain.losses[first - 1 : first - 1 + len(values)] = values
    assert series.stride == 1
    assert repr(series.values) == repr(plain.losses)


def test_of_many_the_first_and_the_last_are_kept():
    kept = gather.Kept(100)
    for number in range(5000):
        kept.put(number)
    assert len(kept.items) <= 100
    assert kept.items[:25] == list(range(25))
    assert kept.items[-25:] == list(range(4975, 5000))
    assert kept.items == sorted(kept.items)


def test_too_large_matrices_are_kept_of_the_first_and_the_last_epochs(monkeypatch):
    monkeypatch.setattr(gather, "CELLS", 100)
    gatherer = gather.Gatherer(History(), gather.Notes())
    for number in range(1, 21):
        gatherer.add(Epoch(epoch=number, splits={"val": Measured(loss=1.0, matrix=((1,) * 5,) * 5)}))
    history = gatherer.close()
    with_one = [epoch.epoch for epoch in history.epochs if epoch.splits["val"].matrix]
    assert with_one[0] == 1
    assert {19, 20} <= set(with_one)
    assert len(with_one) <= 4
    assert all(epoch.splits["val"].loss == 1.0 for epoch in history.epochs)
    assert "too large" in history.notes[0]


def test_looks_and_events_are_bounded(monkeypatch):
    monkeypatch.setattr(gather, "LOOKS", 50)
    gatherer = gather.Gatherer(History(), gather.Notes())
    for step in range(1, 1001):
        gatherer.add(Look(step=step))
        gatherer.add(Event(step=step, what="spike"))
    history = gatherer.close()
    assert len(history.looks) <= 50
    assert history.notes == [f"of 1,000 looks, {len(history.looks)} are kept, the first and last in full"]
