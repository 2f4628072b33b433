import html
import html.parser
import math
import re
from dataclasses import fields, replace

import numpy as np
import pytest
from click.testing import CliRunner

from scratchnet.cli import main
from scratchnet.diagnose import diagnose
from scratchnet.diagnose.diagnosis import Diagnosis
from scratchnet.diagnose.page import Proof, page, write_page
from scratchnet.diagnose.page.axis import Axis, linear, logarithmic
from scratchnet.diagnose.page.course import thin
from scratchnet.diagnose.page.markup import figures, tag
from scratchnet.train import RunDir
from scratchnet.train.errors import RecordError
from scratchnet.train.history.history import History
from scratchnet.train.history.records import (
    End,
    Epoch,
    Event,
    InputLook,
    LayerLook,
    Look,
    Losses,
    Measured,
    OutputLook,
    ParameterLook,
    SplitFacts,
)

from .runs import layer, run

NASTY = "</title></style><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">' \" &"
ELEMENTS = (
    "html head meta title style body header main footer section article div span p h1 h2 h3 h4 ul ol li dl dt dd b "
    "strong code figure figcaption table thead tbody tr th td svg g path line rect circle polygon text"
)
CHARTS = 8
NOTHING_FOUND = Diagnosis((), (), (), ())


class Reader(html.parser.HTMLParser):
    """Elements, their attributes and texts; every element that is opened is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def of(self, tag, kind=""):
        return [a for t, a in self.found if t == tag and (not kind or kind in (a.get("class") or "").split())]


def read(history, diagnosis=None, proof=None):
    return Reader(page(history, diagnosis or diagnose(history), proof))


def raw_pixels():
    """Inputs of 0..255, units that die of it."""
    dead = (layer("0", "Dense(128)"), layer("1", "ReLU()", dead=1.0, never=0.99), layer("2", "Dense(10)"))
    raw = {"minimum": 0.0, "maximum": 255.0, "mean": 33.0, "std": 78.0, "norm": 2437.0}
    return run(
        lambda step: 300.0 if step == 1 else 2.3,
        rates=(0.1, 0.1, 0.1),
        change=lambda step, loss: {"inputs": raw} | ({"layers": dead} if step > 1 else {}),
        data=raw,
    )


def breaks_off():
    """NaN from step 301 on, and an infinite loss of validation."""
    history = run(of_val=[(0.5, 0.8), (math.inf, 0.7), (math.nan, 0.1)])
    history.losses[300:] = [math.nan] * 300
    history.add(Event(step=301, what="nonfinite", where="2", message="forward"))
    return history


def test_verdict_stands_on_top_with_its_numbers_and_remedy():
    history = raw_pixels()
    diagnosis = diagnose(history)
    text = read(history, diagnosis).text
    assert diagnosis.first.cause.id == "inputs-unscaled"
    places = [text.index(part) for part in (
        "The inputs are not scaled.", "certain: ", "0 and 255", "divide pixels by 255", "What it brought about",
        "The evidence in pictures", "The run's story", "What could not be checked")]  # fmt: skip
    assert places == sorted(places)
    for finding in diagnosis:
        assert finding.cause.title in text
        assert all(" ".join(e.text.split()) in text for e in finding.found.evidence[:1])


def test_every_chart_is_drawn_and_the_one_that_speaks_for_the_verdict_comes_first():
    page = read(raw_pixels())
    assert len(page.of("svg", "chart")) == CHARTS
    assert page.of("svg", "chart")[0]["aria-label"] == "Range of the inputs"
    assert "Range of the inputs speaks for the verdict" in page.text.replace("inputsspeaks", "inputs speaks")


def test_the_chart_of_another_verdict_comes_first_then():
    assert read(breaks_off()).of("svg", "chart")[0]["aria-label"] == "Loss by step"


def test_texts_are_escaped_in_elements_and_attributes():
    element = tag("p", NASTY, ["a < b", None, tag("b", "c")], title=NASTY, class_="x", hidden=None)
    assert element.startswith('<p title="&lt;/title&gt;')
    assert element.endswith('class="x">' + html.escape(NASTY) + "a &lt; b<b>c</b></p>")
    assert set(re.findall("<[^>]*>", element)) == {element[: element.index(">") + 1], "<b>", "</b>", "</p>"}
    assert figures("3 < 4.5e-3, 1,234% and x2 0.W") == ("<b>3</b> &lt; <b>4.5e-3</b>, <b>1,234%</b> and x2 0.W")


def test_a_healthy_run_is_told_so():
    page = read(run())
    assert "Nothing was found." in page.text
    assert page.of("section", "healthy")
    assert len(page.of("svg", "chart")) == CHARTS


@pytest.mark.parametrize("keep", ["losses", "epochs", "looks", "data", "nothing"])
def test_what_was_not_recorded_is_left_out_and_said(keep):
    history, whole = History(), run()
    if keep != "nothing":
        setattr(history, keep, getattr(whole, keep))
    page = read(history)
    drawn = len(page.of("svg", "chart"))
    assert drawn == {"losses": 1, "epochs": 3, "looks": 5, "data": 2, "nothing": 0}[keep]
    assert page.text.count("not recorded: ") == CHARTS - drawn
    assert "The settings were not recorded" in page.text
    if keep == "nothing":
        assert "Nothing could be checked." in page.text


def test_few_checks_are_no_clean_bill():
    history = History(epochs=[Epoch(epoch=1, splits={"train": Measured(loss=2.1, accuracy=0.3)})])
    page = read(history)
    assert "little could be looked for" in page.text
    assert not page.of("section", "healthy")
    assert page.of("circle", "dot")


def test_what_is_not_finite_is_a_gap_with_a_mark():
    page = read(breaks_off())
    assert len(page.of("rect", "lost")) == 2  # the rest of the losses, two epochs of validation
    assert "steps 302.5 to" not in page.text
    assert "val, epochs 2 to 3: no finite number" in page.text
    assert "first value that is not finite ×1" in page.text
    assert not re.search(r"\b(nan|inf)\b", " ".join(str(a.get("d")) for a in page.of("path")))


def test_a_single_loss_that_is_not_finite_is_marked_though_its_stretch_hides_it():
    history = run(steps=600)
    history.losses[100] = math.inf
    assert "loss, step 101: no finite number" in read(history).text


def nasty_run():
    history = run()
    history.config |= {NASTY: NASTY, "layers": [NASTY], "deep": {NASTY: [NASTY]}}
    facts = history.data["train"]
    history.data = {NASTY: replace(facts, split=NASTY), "train": facts}
    for i, look in enumerate(history.looks):
        named = {NASTY: look.parameters["0.W"]} | look.parameters
        layers = tuple(replace(one, path=NASTY, layer=NASTY, kind=NASTY) for one in look.layers[:1]) + look.layers[1:]
        history.looks[i] = replace(look, parameters=named, layers=layers)
    history.epochs = [replace(e, splits=e.splits | {NASTY: e.splits["val"]}) for e in history.epochs]
    history.add(Event(step=3, what=NASTY, where=NASTY, message=NASTY))
    history.add(End(how=NASTY, message=NASTY, fired={NASTY: 0}))
    history.source, history.notes = NASTY, [NASTY]
    return history


def test_texts_of_a_run_are_never_markup():
    history = nasty_run()
    shown = read(history, proof=Proof((NASTY, NASTY), ((NASTY, NASTY), (NASTY, 0.5)), NASTY))
    assert {name for name, _ in shown.found} <= set(ELEMENTS.split())
    for element, attributes in shown.found:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "src")], element
    assert shown.text.count("document.title='broken'") > 20  # shown as what it is


def test_nothing_is_loaded_and_nothing_may_be():
    text = page(run(), NOTHING_FOUND)
    policy = next(a["content"] for a in Reader(text).of("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?://|@import|url\(", text)


def test_control_characters_and_halves_of_characters_are_replaced(tmp_path):
    history = run()
    history.config = {"a\x00b": "\ud800 \u202e reversed", "long": "x" * 10**6}
    write_page(tmp_path / "page.html", history, NOTHING_FOUND)
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "a\ufffdb" in text
    assert "\u202e" not in text
    assert len(text) < 200_000


VALUES = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300, 3.5)
WHOLE = (2**63 - 1, -(2**63), 0, 1, -1, 7)


def strange(kind, rng, /, **given):
    """A record with any number in every field that holds one."""
    drawn = {}
    for one in fields(kind):
        declared = str(one.type)
        if one.name not in given and ("float" in declared or "int" in declared) and "dict" not in declared:
            values = WHOLE if "int" in declared else VALUES
            value = values[rng.integers(len(values))]
            drawn[one.name] = value if "tuple" not in declared else None
    return kind(**(drawn | given))


@pytest.mark.parametrize("seed", range(20))
def test_any_numbers_make_a_page(seed):
    rng = np.random.default_rng(seed)
    history = History(stride=int(rng.integers(1, 3)))
    history.losses = [VALUES[rng.integers(len(VALUES))] for _ in range(rng.choice([1, 7, 500]))]
    counts = tuple([0, 2**63 - 1, 3][: rng.integers(4)])
    history.add(strange(SplitFacts, rng, split="train", shape=(1, 2**63 - 1), class_counts=counts))
    for _ in range(3):
        layers = tuple(strange(LayerLook, rng, path=str(i), layer="Dense(3)", kind="Dense") for i in range(3))
        parts = {"parameters": {"0.W": strange(ParameterLook, rng)}, "layers": layers, "training": True}
        history.add(strange(Look, rng, inputs=strange(InputLook, rng), outputs=strange(OutputLook, rng), **parts))
        matrix = ((1, 2**63 - 1), (0, 0)) if rng.random() < 0.5 else None
        history.add(strange(Epoch, rng, splits={"val": strange(Measured, rng, matrix=matrix)}))
        history.add(strange(Event, rng, what="spike"))
    history.add(strange(End, rng, how="finished", fired={}))
    shown = read(history, NOTHING_FOUND)
    for _, attributes in shown.found:
        drawn = [
            attributes.get(name) or "" for name in ("d", "points", "x", "y", "x1", "width", "height", "cx", "style")
        ]
        assert not re.search(r"nan|inf|None|e\+", " ".join(drawn))
        assert "-" not in (attributes.get("width") or "") + (attributes.get("height") or "")


def test_many_layers_parameters_steps_and_classes_stay_a_small_page():
    layers = tuple(layer(f"{i}.inner", "Dense(8)", gradient=2.0**-i, gain=0.5) for i in range(300))
    history = run(change=lambda step, loss: {"layers": layers})
    first = history.looks[0].parameters["0.W"]
    history.looks = [replace(x, parameters={f"{i}.W": first for i in range(300)}) for x in history.looks]
    history.add(Losses(first=1, values=(1.0,) * 200_000))
    history.data["train"] = replace(history.data["train"], class_counts=(7,) * 5000)
    history.epochs = []
    text = page(history, NOTHING_FOUND)
    assert len(text) < 300_000
    assert "60 of 5000 classes" in Reader(text).text


def test_the_proof_is_a_table():
    proof = Proof(("changed", "val accuracy", "loss"), (("as it was", 0.668, 2.3), ("inputs / 255", 0.829, math.nan)))
    shown = read(run(), proof=proof)
    assert shown.of("td", "share")[1]["style"] == "--share:82.9%"
    small = Proof(("changed", "val accuracy", "loss"), (("as it was", 0.668, 0.31), ("inputs / 255", 0.829, 0.28)))
    assert len(read(run(), proof=small).of("td", "share")) == 2
    assert "inputs / 255" in shown.text
    assert "82.9%" in shown.text


def test_the_page_is_written_as_a_whole_and_takes_the_place_of_a_page_only(tmp_path):
    file = tmp_path / "report.html"
    write_page(file, run(), NOTHING_FOUND)
    write_page(file, run(), NOTHING_FOUND)
    assert file.read_bytes().startswith(b"<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    other = tmp_path / "history.jsonl"
    other.write_text('{"kind": "end"}\n')
    with pytest.raises(RecordError, match="no HTML page"):
        write_page(other, run(), NOTHING_FOUND)
    assert other.read_text() == '{"kind": "end"}\n'
    with pytest.raises(RecordError, match="cannot be written"):
        write_page(tmp_path / "no folder" / "a.html", run(), NOTHING_FOUND)


def test_the_command_writes_it(tmp_path):
    history = run()
    with RunDir(tmp_path / "run", history.config) as folder:
        for record in (*history.data.values(), Losses(first=1, values=tuple(history.losses)), *history.looks,
                       *history.epochs):  # fmt: skip
            folder.write(record)
    file = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["doctor", str(tmp_path / "run"), "--html", str(file)])
    assert done.exit_code == 0, done.output
    assert len(Reader(file.read_text("utf-8")).of("svg", "chart")) == CHARTS
    refused = CliRunner().invoke(main, ["doctor", str(tmp_path / "run"), "--html", str(tmp_path / "run/config.json")])
    assert refused.exit_code == 2
    assert "no HTML page" in refused.output


def test_a_list_is_thinned_to_any_number():
    assert [thin(range(5), most) for most in (-1, 0, 1, 2, 3, 5, 9)] == [
        [], [], [0], [0, 4], [0, 2, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        (linear([0, 1], 0, 100), "0 0.2 0.4 0.6 0.8 1.0"),
        (linear([1, 5], 0, 100, whole=True), "1 2 3 4 5"),
        (linear([3, 3], 0, 100, whole=True), "3"),
        (linear([], 0, 100), "0 0.2 0.4 0.6 0.8 1.0"),
        (linear([0, 2_600_000], 0, 100), "0 1M 2M"),
        (logarithmic([0.002, 30], 0, 100), "0.001 0.01 0.1 1 10 100"),
        (logarithmic([0.0, 3], 0, 100), "0 1 10"),
        (logarithmic([1e-9, 1e-6], 0, 100), "10⁻⁹ 10⁻⁸ 10⁻⁷ 10⁻⁶"),
    ],
)
def test_axes_are_named_by_round_numbers(axis, names):
    assert " ".join(name for _, name in axis.ticks) == names


def test_what_lies_beyond_an_axis_stands_at_its_end():
    assert [Axis(0, 10, 0, 100).at(v) for v in (-5, 0, 2.5, 10, 99, math.nan)] == [0, 0, 25, 100, 100, 0]
    upward = logarithmic([0.0, 1, 100], 200, 0)
    assert (upward.at(0), upward.at(1), upward.at(100)) == (200, 184, 0)
