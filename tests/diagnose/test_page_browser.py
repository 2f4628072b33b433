"""The page as a browser shows it: nothing on the console, every chart there, no word cut off or upon another."""

import re
from dataclasses import replace

import pytest

from scratchnet.diagnose import diagnose
from scratchnet.diagnose.page import write_page
from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Measured

from . import browser as chromium
from .runs import run
from .test_page import CHARTS, breaks_off, nasty_run, proof, raw_pixels

pytestmark = pytest.mark.skipif(chromium.found()[0] is None, reason=chromium.found()[1])

ONE_EPOCH = History(epochs=[Epoch(epoch=1, splits={"train": Measured(loss=2.1, accuracy=0.31)})])
PAGES = {
    "raw pixels": (raw_pixels, CHARTS),
    "breaks off": (breaks_off, CHARTS),
    "healthy": (run, CHARTS),
    "one epoch": (lambda: ONE_EPOCH, 2),
    "markup in its texts": (nasty_run, CHARTS),
}
CUT_OFF = """
return [...document.querySelectorAll("svg.chart text")].filter(word => {
  const box = word.getBoundingClientRect(), sheet = word.closest("svg").getBoundingClientRect();
  return box.width == 0 || box.left < sheet.left - 1 || box.right > sheet.right + 1 || box.top < sheet.top - 1
    || box.bottom > sheet.bottom + 1;
}).map(word => word.textContent)
"""
UPON_ANOTHER = """
const found = [];
for (const sheet of document.querySelectorAll("svg.chart")) {
  const boxes = [...sheet.querySelectorAll("text")].map(word => [word, word.getBoundingClientRect()]);
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 1 && high > 3) found.push(a.textContent + " | " + b.textContent);
  }));
}
return found
"""
TOO_WIDE = "return document.documentElement.scrollWidth - window.innerWidth"
CONTRAST = """
const WORDS = "h1,h2,h3,p,li,dt,dd,td,th,b,code,figcaption,svg.chart text,.where,.chip";
const parse = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = element => {
  for (; element; element = element.parentElement) {
    const colour = parse(getComputedStyle(element).backgroundColor);
    if (colour.length == 3 || colour[3] == 1) return colour;
  }
  return [255, 255, 255];
};
return Math.min(...[...document.querySelectorAll(WORDS)].filter(one => one.textContent.trim()).map(one => {
    const style = getComputedStyle(one), ink = parse(one.tagName == "text" ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(one))].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  }))
"""


@pytest.fixture(scope="module")
def window():
    with chromium.browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [chromium.WIDE, 900, chromium.NARROW])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_drawn(window, tmp_path, name, width):
    make, charts = PAGES[name]
    history = make()
    write_page(tmp_path / "page.html", history, replace(diagnose(history), proof=proof()))
    window.open(tmp_path / "page.html", width)
    assert window.log() == []
    assert window.run("return document.querySelectorAll('svg.chart').length") == charts
    boxes = window.run("return [...document.querySelectorAll('svg.chart')].map(s => s.getBoundingClientRect().height)")
    assert min(boxes) > 60
    assert window.run(CUT_OFF) == []
    assert window.run(UPON_ANOTHER) == []
    assert window.run(TOO_WIDE) <= 0


def test_what_stands_in_a_run_is_never_run(window, tmp_path):
    history = nasty_run()
    write_page(tmp_path / "page.html", history, replace(diagnose(history), proof=proof()))
    window.open(tmp_path / "page.html")
    assert window.run("return document.title").endswith("– scratchnet doctor")
    assert window.run("return document.scripts.length + document.images.length") == 0


def test_a_script_that_came_in_would_not_run(window, tmp_path):
    """The policy holds by itself: the page with a script put into it by hand."""
    history = run()
    write_page(tmp_path / "page.html", history, diagnose(history))
    text = (tmp_path / "page.html").read_text("utf-8")
    (tmp_path / "page.html").write_text(
        text.replace("<main>", "<main><script>document.title='broken'</script>"), "utf-8"
    )
    window.open(tmp_path / "page.html")
    assert window.run("return document.scripts.length") == 1
    assert window.run("return document.title") != "broken"
    assert any(re.search("Content Security Policy", line) for line in window.log())


@pytest.mark.parametrize("dark", [False, True])
def test_every_word_can_be_read(window, tmp_path, dark):
    history = raw_pixels()
    write_page(tmp_path / "page.html", history, replace(diagnose(history), proof=proof()))
    window.open(tmp_path / "page.html", dark=dark)
    assert window.run(CONTRAST) >= 4.5
