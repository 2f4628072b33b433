"""The run's story: its settings, its data, and what happened when."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.train.history import History
from scratchnet.train.history.records import Event, SplitFacts

from ..readings import accuracy, g, pc
from .axis import finite, say
from .course import KINDS
from .markup import Markup, figures, join, tag

SETTINGS = 40  # that are shown
LAYERS = 60  # of a network that are shown
HAPPENED = 6  # kinds of events that are told

FACTS: tuple[tuple[str, Callable[[SplitFacts], str | None]], ...] = (
    ("samples", lambda x: say(x.samples)),
    ("shape", lambda x: " × ".join(map(str, x.shape)) if x.shape else None),
    ("range", lambda x: f"{g(x.minimum)} to {g(x.maximum)}" if None not in (x.minimum, x.maximum) else None),  # type: ignore[arg-type]
    ("mean ± std", lambda x: f"{g(x.mean)} ± {g(x.std)}" if x.mean is not None and x.std is not None else None),
    ("norm of a sample", lambda x: say(x.norm) if x.norm is not None else None),
    ("constant features", lambda x: _of(x.constant, x.features)),
    ("values not finite", lambda x: say(x.nonfinite) if x.nonfinite is not None else None),
    ("classes", lambda x: say(x.classes) if x.classes is not None else None),
    ("labels", lambda x: f"{say(x.label_minimum)} to {say(x.label_maximum)}" if x.label_maximum is not None else None),
    ("smallest, largest class", lambda x: _extremes(x.class_counts)),
    ("samples in training too", lambda x: _of(x.duplicates, x.samples)),
    ("label as the nearest neighbour's", lambda x: pc(x.agreement) if x.agreement is not None else None),
    ("… by chance", lambda x: pc(x.chance) if x.chance is not None else None),
    ("next sample of the same class", lambda x: pc(x.neighbours_alike) if x.neighbours_alike is not None else None),
)


def story(history: History) -> Markup:
    """Three parts; each says so where nothing was recorded."""
    return tag(
        "section",
        tag("h2", "The run's story"),
        tag("div",
            tag("div", tag("h3", "What happened"), _course(history), class_="card"),
            tag("div", tag("h3", "Settings"), _settings(history.config), class_="card"),
            tag("div", tag("h3", "Data, as the network gets it"), _data(history), class_="card"),
            class_="story"),
        id="story",
    )  # fmt: skip


def _course(history: History) -> Markup:
    """Sentences in the order of time."""
    told: list[tuple[str, str, str]] = []
    if history.losses:
        told.append(("step 1", f"the first loss is {g(history.losses[0])}", ""))
    told += _events(history.events)
    told += _best(history)
    if history.epochs:
        seconds = [e.seconds for e in history.epochs if e.seconds is not None and math.isfinite(e.seconds)]
        took = f" in {g(sum(seconds))} s" if seconds else ""
        many = "1 epoch was" if len(history.epochs) == 1 else f"{len(history.epochs)} epochs were"
        told.append((f"epoch {say(history.epochs[-1].epoch)}", f"{many} measured{took}", ""))
    end = history.end
    if end is None:
        ours = bool(history.looks)  # a file of another program never says so
        told.append(
            ("end", "no end was recorded: the run broke off" if ours else "not recorded", "bad" if ours else "")
        )
    else:
        steps = f" after {say(end.steps)} steps" if end.steps is not None else ""
        why = f": {end.message}" if end.message else ""
        told.append(("end", f"{end.how}{steps}{why}", "" if end.how == "finished" else "bad"))
        never = [name for name, n in end.fired.items() if not n]
        if never:
            told.append(("end", f"monitors that never fired: {', '.join(never)}", ""))
    items = [tag("li", tag("span", when, class_="when"), tag("span", figures(what)), class_=kind or None)
             for when, what, kind in told]  # fmt: skip
    return tag("ol", *items, class_="timeline")


def _events(events: list[Event]) -> list[tuple[str, str, str]]:
    """A line for each kind of event: the first one, and how many there were."""
    by_kind: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.step):
        by_kind.setdefault(event.what, []).append(event)
    told = []
    for what, each in list(by_kind.items())[:HAPPENED]:
        first = each[0]
        words = [KINDS.get(what, what), first.where and f"at {first.where}", first.message]
        if first.value is not None and not first.message:
            words.append(say(first.value))
        more = f"; {len(each)} such events up to step {say(each[-1].step)}" if len(each) > 1 else ""
        told.append((f"step {say(first.step)}", ", ".join(w for w in words if w) + more, "bad"))
    if len(by_kind) > HAPPENED:
        told.append(("", f"{len(by_kind) - HAPPENED} more kinds of events", ""))
    return told


def _best(history: History) -> list[tuple[str, str, str]]:
    """The best epoch of each split."""
    told = []
    for split in dict.fromkeys(split for epoch in history.epochs for split in epoch.splits):
        pairs = [(finite(a), e) for e, m in history.measured(split) if (a := accuracy(m)) is not None]
        pairs = [pair for pair in pairs if not math.isnan(pair[0])]
        if pairs:
            best, epoch = max(pairs, key=lambda pair: pair[0])
            told.append((epoch, (f"epoch {say(epoch)}", f"the best accuracy of {split}: {pc(best)}", "")))
    return [line for _, line in sorted(told[:5], key=lambda one: one[0])]


def _settings(config: Mapping[str, Any]) -> Markup:
    if not config:
        return tag("p", "The settings were not recorded.", class_="dim")
    rows = []
    for name, value in list(config.items())[:SETTINGS]:
        if isinstance(value, list | tuple) and name == "layers":
            body: Markup = tag("ol", *(tag("li", tag("code", str(one))) for one in value[:LAYERS]), start="0")
            body = join(body, f"and {len(value) - LAYERS} more") if len(value) > LAYERS else body
        else:
            body = tag("code", value if isinstance(value, str) else _plain(value))
        rows.append(join(tag("dt", str(name)), tag("dd", body)))
    more = tag("p", f"and {len(config) - SETTINGS} more", class_="dim") if len(config) > SETTINGS else None
    return join(tag("dl", *rows, class_="settings"), more)


def _data(history: History) -> Markup:
    splits = list(history.data.values())[:4]
    if not splits:
        return tag("p", "Facts of the data were not recorded (Monitor.data does it).", class_="dim")
    rows = []
    for name, of in FACTS:
        values = [of(x) for x in splits]
        if any(values):
            rows.append(tag("tr", tag("th", name, scope="row"), *(tag("td", v or "–") for v in values)))
    head = tag("tr", tag("th", ""), *(tag("th", x.split, scope="col") for x in splits))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows)), class_="scroll")


def _plain(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _of(part: int | None, whole: int | None) -> str | None:
    if part is None:
        return None
    return f"{say(part)} of {say(whole)}" if whole else say(part)


def _extremes(counts: tuple[int, ...] | None) -> str | None:
    return f"{say(min(counts))}, {say(max(counts))}" if counts else None
