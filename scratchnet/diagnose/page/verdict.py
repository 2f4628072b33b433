"""The verdict, what it brought about, other suspects, and what could not be checked."""

from __future__ import annotations

from collections.abc import Sequence

from ..cause import Evidence
from ..diagnosis import Diagnosis, Finding
from .markup import Markup, figures, join, tag
from .proof import proof_table


def verdict(diagnosis: Diagnosis) -> Markup:
    """The first cause with all that is known of it, or that nothing was found."""
    first = diagnosis.first
    if first is None:
        return _nothing(diagnosis)
    cause = first.cause
    rest = tuple(first.consequences)
    return tag(
        "section",
        tag("p", "The likeliest cause", class_="kicker"),
        tag("h1", f"{cause.title}."),
        sureness(first),
        tag("div",
            tag("div", tag("h2", "The numbers that say so"), quotes(first.found.evidence), class_="numbers"),
            tag("div", tag("h2", "What to do"), tag("p", cause.remedy, class_="cure"),
                tag("h2", "Why that makes a run fail"), tag("p", cause.explanation),
                tag("p", "More: ", tag("code", cause.lesson), class_="dim")),
            class_="halves"),
        proof_table(diagnosis.proof) if diagnosis.proof else None,
        join(tag("h2", "What it brought about"), chain(rest)) if rest else None,
        class_="verdict found",
        id="verdict",
    )  # fmt: skip


def suspects(diagnosis: Diagnosis) -> Markup | None:
    """The causes after the first that stand for themselves."""
    others = diagnosis.findings[1:]
    if not others:
        return None
    cards = tag("div", *(_suspect(one) for one in others), class_="suspects")
    return tag("section", tag("h2", "Other suspects"), cards, id="suspects")


def checked(diagnosis: Diagnosis) -> Markup:
    """What could not be looked for, by what was missing, and what was looked for and is not there."""
    parts: list[Markup] = [tag("h2", "What could not be checked")]
    by_reason: dict[str, list[str]] = {}
    for cause, why in diagnosis.unknown:
        by_reason.setdefault(why, []).append(f"{cause.title}?")
    if by_reason:
        rows = [tag("div", tag("dt", f"Not known: {why}"), *(tag("dd", t) for t in titles), class_="reason")
                for why, titles in by_reason.items()]  # fmt: skip
        parts.append(tag("dl", *rows, class_="reasons"))
    else:
        parts.append(tag("p", "Nothing: every cause that is known could be looked for."))
    if diagnosis.fine:
        parts.append(tag("h2", f"Looked for and not there ({len(diagnosis.fine)})"))
        parts.append(
            tag("ul", *(tag("li", cause.id, title=f"{cause.title}: no") for cause in diagnosis.fine), class_="fine")
        )
    return tag("section", *parts, id="checked")


def chain(findings: Sequence[Finding]) -> Markup:
    """Consequences, each under what brought it about."""
    items = []
    for one in findings:
        best = one.found.evidence[:1]
        told = [join(tag("span", figures(e.text), class_="quote"), _where(e)) for e in best]
        items.append(tag("li", tag("strong", one.cause.title), _chip(one), tag("div", *told),
                         chain(one.consequences) if one.consequences else None))  # fmt: skip
    return tag("ul", *items, class_="chain")


def quotes(evidence: Sequence[Evidence]) -> Markup:
    """Sentences with their numbers set off."""
    return tag("ul", *(tag("li", figures(e.text), _where(e)) for e in evidence), class_="quotes")


def sureness(finding: Finding) -> Markup:
    """How sure, in a word, a number and a bar."""
    share = round(100 * min(max(finding.found.sure, 0.0), 1.0))
    bar = tag("span", tag("span", style=f"width:{share}%"), class_="meter", aria_hidden="true")
    words = f"{finding.certainty}: {share} of 100"
    return tag("p", bar, tag("strong", words), tag("code", finding.cause.id), class_="sure")


def _suspect(finding: Finding) -> Markup:
    return tag(
        "article",
        tag("h3", finding.cause.title),
        sureness(finding),
        quotes(finding.found.evidence),
        tag("p", tag("strong", "What to do: "), finding.cause.remedy),
        join(tag("h4", "What it would have brought about"), chain(finding.consequences))
        if finding.consequences
        else None,
        class_="card",
    )


def _nothing(diagnosis: Diagnosis) -> Markup:
    fine, every = len(diagnosis.fine), len(diagnosis.fine) + len(diagnosis.unknown)
    if not fine:
        head, words = "Nothing could be checked.", "The history tells too little: see below what each check needs."
    elif 2 * fine < every:
        head = "Nothing was found, but little could be looked for."
        words = f"{fine} of {every} causes were looked for and are not there; the others need more than was recorded."
    else:
        all_of = f"All {every}" if fine == every else f"{fine} of {every}"
        head, words = "Nothing was found.", f"{all_of} causes were looked for and are not there."
    return tag(
        "section",
        tag("p", "The verdict", class_="kicker"),
        tag("h1", head),
        tag("p", figures(words), class_="lead"),
        proof_table(diagnosis.proof) if diagnosis.proof else None,
        class_="verdict silent" if 2 * fine < every else "verdict healthy",
        id="verdict",
    )


def _where(evidence: Evidence) -> Markup | None:
    return tag("span", evidence.where, class_="where") if evidence.where else None


def _chip(finding: Finding) -> Markup:
    return tag("span", finding.certainty, class_="chip")
