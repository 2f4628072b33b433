"""Lines that a training loop printed, of whatever form: "Epoch 3/15 loss: 0.41 acc: 97.1% val_loss: 0.38"."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from .names import SPLITS, last_meaning, meaning
from .rows import Row, Value, digits_of, enter

_NUMBER = re.compile(
    r"((?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d,.])"  # 10,000
    r"|(?<![\w.@])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"  # and not of "acc@1"
    r"|(?<![\w.])[-+]?(?:nan|inf(?:inity)?)(?!\w))",
    re.IGNORECASE,
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WRAPPED = re.compile(r"(?:tensor|(?:np\.|numpy\.)?float\d*)\($")
_PARAMETER = re.compile(r"(?<![A-Za-z0-9])((?:L|layer)\d+)[_.](W|b|weight|bias)['\"]?\s*[=:]\s*$")
_SIZES = re.compile(r"\b(?:sizes?|samples|images|examples)\b", re.IGNORECASE)
_SAMPLES = re.compile(r"\s*(\w*)\s*(?:samples|images|examples)\b", re.IGNORECASE)
_LETTER, _WORD = re.compile(r"[A-Za-z]"), re.compile(r"\w+")
_TOP = re.compile(r"\b(top)[ -]?(\d)\b", re.IGNORECASE)


class _Slot(NamedTuple):
    """What the number `at` this place of a line is; `whole` where another one stands behind a stroke: "12/496"."""

    at: int
    split: str | None
    metric: str
    whole: bool = False


def clean(line: str) -> str:
    """Without colours."""
    return _COLOURS.sub("", line) if "\x1b" in line else line


def row_of_text(line: str) -> Row | None:
    """The figures in a line; None where there are none.

    Lines that differ in their numbers only are understood once: the text between the numbers is the form.
    """
    pieces = _NUMBER.split(_TOP.sub(r"\1\2", line) if "op" in line else line)
    if len(pieces) == 1:
        return None
    slots = _slots(tuple(pieces[::2]))
    if not slots:
        return None
    row, numbers = Row(), pieces[1::2]
    for index, split, metric, whole in slots:
        told = numbers[index].replace(",", "")
        value = Value(float(told), digits_of(told), pieces[2 * index + 2].lstrip(" ").startswith("%"))
        if metric == "parameter":
            row.gradients[str(split)] = value.value
            continue
        if whole:
            value = _fraction(value, metric, numbers[index + 1])
        enter(row, split, metric, value)
    return row if row.figures or row.gradients or row.epoch is not None else None


def _fraction(value: Value, metric: str, behind: str) -> Value:
    """Of "12/496": all that there is to say of an accuracy; of an epoch, how many there will be."""
    behind = behind.replace(",", "")
    if not behind.isdigit() or not value.value.is_integer() or not int(behind):
        return value
    if metric in ("accuracy", "top5", "correct"):
        return Value(value.value / int(behind), None, False, int(value.value), int(behind))
    return Value(value.value, whole=int(behind))


@lru_cache(4096)
def _slots(texts: tuple[str, ...]) -> tuple[_Slot, ...]:
    """Which numbers between these texts are figures, and of what."""
    found: list[_Slot] = []
    context: str | None = None  # the split that was named last: "Test set: loss 0.4, accuracy 12/496"
    sizes = any(_SIZES.search(text) for text in texts)
    for index, (text, behind) in enumerate(pairwise(texts)):
        parameter = _PARAMETER.search(text)
        if parameter:
            found.append(_Slot(index, f"{parameter[1]}.{parameter[2]}", "parameter"))
            continue
        split, metric = last_meaning(_WRAPPED.sub("", text))
        context = split or context
        slot = _slot(text, behind, split, metric, sizes, index + 2 < len(texts))
        if slot is not None:
            found.append(_Slot(index, slot[0] or context, *slot[1:]))
    told = {slot.metric for slot in found}
    return tuple(found) if told - {"step", "seconds", "total"} else ()


def _slot(
    text: str, behind: str, split: str | None, metric: str | None, sizes: bool, more: bool
) -> tuple[str | None, str, bool] | None:
    """Of the number between two texts: split, metric, and whether the number after it is the whole."""
    whole = more and behind.strip() == "/"
    if metric is not None:
        unit = behind[:1].isalpha() and metric != "seconds"  # then it is something else
        return None if unit or (metric == "samples" and split is None) else (split, metric, whole)
    if whole and text.rstrip().endswith("[") and not _LETTER.search(text):
        return None, "step", False  # "Epoch: 1 [640/60000"
    of = _SAMPLES.match(behind)
    if of and (of[1].lower() in SPLITS or split is not None):
        return SPLITS.get(of[1].lower(), split), "samples", False  # "training on 500 samples", "500 training images"
    if split is not None and meaning(_WORD.findall(text)[-1])[0] is not None:
        if behind.lstrip(" ").startswith("%"):
            return split, "accuracy", False  # "train 97.1%"
        if sizes:
            return split, "samples", False  # "sizes: train 400, val 100"
    return None


def header(line: str) -> Callable[[str], Row | None] | None:
    """What reads the lines below a line of column names, "epoch,loss,val_loss"; None if this is no such line."""
    for apart in (",", "\t", ";", "|", None):
        names = _cells(line, apart)
        told = [meaning(name) for name in names]
        metrics = {metric for _, metric in told}
        if len(names) >= 2 and metrics & {"epoch", "step"} and metrics & {"loss", "accuracy"}:
            break
    else:
        return None

    def read(row_text: str) -> Row | None:
        cells = _cells(row_text, apart)
        if len(cells) != len(names):
            return None
        row = Row()
        for cell, (split, metric) in zip(cells, told, strict=True):
            text = cell.rstrip("%")
            if metric is None or not _NUMBER.fullmatch(text):
                continue
            enter(row, split, metric, Value(float(text.replace(",", "")), digits_of(text), cell.endswith("%")))
        return row if row.epoch is not None or row.step is not None else None

    return read


def _cells(line: str, apart: str | None) -> list[str]:
    return [cell.strip(" \"'") for cell in (line.strip().strip("|").strip().split(apart))]
