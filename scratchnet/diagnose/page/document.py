"""The page as a whole, and writing it."""

from __future__ import annotations

from pathlib import Path

from scratchnet import __version__
from scratchnet.data.files import replacing
from scratchnet.train.errors import RecordError
from scratchnet.train.history import History

from ..diagnosis import Diagnosis
from .charts import charts
from .markup import Markup, join, tag
from .story import story
from .style import STYLE
from .verdict import checked, suspects, verdict

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A browser that reads the page loads nothing and runs nothing, whatever stands in it."""
BEGINNING = b"<!doctype html>"


def page(history: History, diagnosis: Diagnosis) -> str:
    """The diagnosis of a run as an HTML document: verdict, charts, story, what could not be checked.

    Where the diagnosis was proven, its trials are a table below the verdict. Texts of the run are shown, never
    interpreted.
    """
    title = f"{diagnosis.first.cause.title}" if diagnosis.first else "Nothing was found"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} – scratchnet doctor"),
        tag("style", Markup(STYLE)),
    )
    body = tag(
        "body",
        tag("header", tag("span", "scratchnet doctor", class_="brand"),
            tag("span", diagnosis.source, class_="source") if diagnosis.source else None),
        tag("main",
            verdict(diagnosis),
            _notes(diagnosis),
            charts(history, diagnosis),
            suspects(diagnosis),
            story(history),
            checked(diagnosis)),
        tag("footer", f"Made by scratchnet {__version__}. Point at a line, bar or mark to read its numbers."),
    )  # fmt: skip
    return join(Markup(BEGINNING.decode()), "\n", tag("html", head, body, lang="en"), "\n")


def write_page(path: str | Path, history: History, diagnosis: Diagnosis) -> None:
    """Write the page; whoever reads the file sees the old one or the whole new one.

    Raises:
        RecordError: nothing can be written there, or what is there is no page (a run's own file, say).
    """
    path = Path(path)
    try:
        if path.exists():
            with path.open("rb") as file:
                begins = file.read(len(BEGINNING))
            if begins and begins.lower() != BEGINNING:
                raise RecordError("the file is there and is no HTML page", where=str(path),
                                  hint="name another file: this one would be lost")  # fmt: skip
        with replacing(path) as file:
            file.write(page(history, diagnosis).encode("utf-8"))
    except OSError as error:
        if isinstance(error, RecordError):
            raise
        reason = error.strerror or str(error)
        raise RecordError("the page cannot be written", where=str(path), actual=reason) from error


def _notes(diagnosis: Diagnosis) -> Markup | None:
    """What could not be read of the run."""
    if not diagnosis.notes:
        return None
    items = [tag("li", note) for note in diagnosis.notes[:20]]
    return tag(
        "section", tag("h2", "What could not be read"), tag("ul", *items, class_="plain"), class_="notes", id="notes"
    )
