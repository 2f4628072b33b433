"""Maps of characters and pictures of where a gradient is wrong."""

import builtins

import numpy as np
import pytest

from scratchnet.check import check_gradients
from scratchnet.check.optional import MissingPackageError
from scratchnet.check.picture import picture, save_picture
from scratchnet.check.report import Finding, Report, Verdict
from scratchnet.check.tiles import tile
from scratchnet.core.errors import ConfigError

from .pairs import AFFINE, affine_backward, affine_forward, with_affine

rng = np.random.default_rng(0)


def found(shape, wrong, probes=None, bad=lambda truth: -truth, verdict=Verdict.FAIL):
    """A finding that is wrong at some places."""
    truth, mask = rng.normal(size=shape), np.zeros(shape, bool)
    for place in wrong:
        mask[place] = True
    slope = truth.copy()
    if probes is not None:
        probed = mask.copy()
        probed.flat[rng.choice(truth.size, probes, replace=False)] = True
        slope[~probed] = np.nan
    at = [tuple(map(int, index)) for index in np.argwhere(mask)]
    return Finding("x", verdict, (), np.where(mask, bad(truth), truth), slope, at)


def test_a_vector_is_a_row():
    assert picture(found((7,), [(6,)])) == ["......#"]


def test_a_matrix_is_a_map_and_what_was_not_probed_is_blank():
    finding = found((3, 4), [(slice(None), 3)])
    finding.numeric[1, 1] = np.nan
    assert picture(finding) == ["...#", ". .#", "...#"]


def test_four_axes_are_tiles():
    assert picture(found((2, 3, 2, 3), [(slice(None), slice(None), 0, slice(None)), (1, 1)]))[1:] == [
        "###|###|###", "...|...|...", "---+---+---", "###|###|###", "...|###|...",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [[], [(slice(None), slice(None))]])
def test_where_the_map_would_show_one_character_there_is_none(wrong):
    assert picture(found((4, 5), wrong)) == []


def test_a_large_argument_is_cropped_to_where_it_is_wrong():
    title, *rows = picture(found((784, 128), [(391, 77)], 200))
    assert title == "386 to 397 of 784 along axis 0, 72 to 83 of 128 along axis 1:"
    assert "".join(rows).count("#") == 1
    assert rows[391 - 386][77 - 72] == "#"


def test_what_a_window_cannot_hold_is_shown_in_blocks():
    title, *rows = picture(found((784, 128), [(3, 7), (400, 77), (780, 1)], 200))
    assert title.startswith("33 × 3 entries a character of (784, 128)")
    assert rows[400 // 33][77 // 3] in "#+"
    assert sum(row.count("#") + row.count("+") for row in rows) == 3


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [((5000,), [(0,), (4999,)]), ((9, 9, 40, 50), [(8, 8, 1)]), ((3, 200, 300), [(1, 4)]), ((90, 80, 3, 3), [(77, 5)])],
)
def test_no_map_is_larger_than_it_may_be_and_what_is_wrong_is_on_it(shape, wrong):
    rows = [row for row in picture(found(shape, wrong)) if not row.endswith(":")]
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 60
    assert {"#", "+"} & set("".join(rows))


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (2, 3, 4), (2, 3, 4, 5), (2, 2, 3, 4, 5), (0,), (0, 3)])
def test_every_element_lies_on_the_tiles_once(shape):
    size = int(np.prod(shape))
    tiles = tile(shape, np.zeros(shape, bool), 99, 99)
    assert sorted(tiles.where[tiles.where >= 0].tolist()) == list(range(size))
    assert tiles.cropped == ""


def test_crops_chosen_axis_by_axis_hold_something_wrong():
    marked = np.zeros((300, 300), bool)
    marked[0, 250] = marked[250, 0] = True  # each axis by itself has two windows that are as good
    tiles = tile(marked.shape, marked, 20, 20)
    assert tiles.of(marked, False).sum() == 1


FINDINGS = {
    "scalar": found((), [()]),
    "vector": found((9,), [(8,)]),
    "matrix": found((6, 5), [(slice(None), 4)]),
    "conv": found((4, 3, 3, 3), [(2, 1)]),
    "five axes": found((2, 2, 2, 3, 3), [(1, 1)]),
    "one of many": found((784, 128), [(391, 77)], 200),
    "NaN": found((4, 6), [(1, 2)], bad=lambda truth: np.full_like(truth, np.nan)),
    "infinite": found((4, 6), [(1, 2)], bad=lambda truth: np.full_like(truth, -np.inf)),
    "by directions alone": found((40, 60), [], 30),
    "right": found((4, 6), [], verdict=Verdict.PASS),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_is_drawn(name, tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="needs matplotlib: pip install scratchnet[plot]")
    drawn = image.imread(save_picture(FINDINGS[name], tmp_path / "it.png"))
    assert drawn.shape[1] == 1500
    grey = (np.rint(drawn[..., :3] * 255) == 204).all(-1).mean()  # a letter has a little of it on its edges
    assert (grey > 0.05) == bool(np.isnan(FINDINGS[name].numeric).any())
    assert [path.name for path in tmp_path.iterdir()] == ["it.png"]  # and no temporary file


def test_a_report_is_drawn_as_its_failing_arguments(tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="needs matplotlib: pip install scratchnet[plot]")
    one = Report("one", [FINDINGS["matrix"], FINDINGS["right"]])
    two = Report("two", [FINDINGS["matrix"], FINDINGS["right"], FINDINGS["matrix"]])
    heights = [image.imread(save_picture(report, tmp_path / "it.png")).shape[0] for report in (one, two)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=2)


def test_a_real_report_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install scratchnet[plot]")
    report = check_gradients(
        affine_forward, with_affine(b=lambda d, c: d.mean(0)), AFFINE, rungs=["finite differences"]
    )
    assert save_picture(report, str(tmp_path / "affine.PNG")).stat().st_size > 5000


def test_where_nothing_is_wrong_there_is_nothing_to_draw(tmp_path):
    report = check_gradients(affine_forward, affine_backward, AFFINE, rungs=["finite differences"])
    with pytest.raises(ConfigError, match="no wrong gradient"):
        save_picture(report, tmp_path / "it.png")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_a_png(tmp_path):
    with pytest.raises(ConfigError, match="PNG"):
        save_picture(FINDINGS["matrix"], tmp_path / "it.jpg")


def test_a_picture_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    figure = pytest.importorskip("matplotlib.figure", reason="needs matplotlib: pip install scratchnet[plot]")
    path = tmp_path / "it.png"
    path.write_bytes(b"old")

    def torn(self, file, **how):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure.Figure, "savefig", torn)
    with pytest.raises(OSError, match="disk full"):
        save_picture(FINDINGS["matrix"], path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_matplotlib_the_error_names_the_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **how):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **how)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackageError, match=r"scratchnet\[plot\]"):
        save_picture(FINDINGS["matrix"], tmp_path / "it.png")
