"""The brief: one page for the person who is about to call a candidate who declined.

In: the candidate's row, the days of the stages, what was said about them, what earlier batches said, contacts. Out: a
frozen `Brief`, as Markdown, HTML, a Word file or a dict. Segments are never on it. Files are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from declinethemes.framework import Framework
from declinethemes.prepare.earlier import Earlier, Item
from declinethemes.prepare.guide import MINUTES, interview_guide
from declinethemes.prepare.offer import Timeline, further, offer_terms, timeline, undecided
from declinethemes.prepare.page import narrow, new_document, render, saved
from declinethemes.prepare.presumed import Reasons
from declinethemes.prepare.said import Hint, Remark, Said

STAMP = "Working draft: for the caller only"
HOW = (
    "Ask the questions of the guide, in its order and words; stay longest with these. Do not name the presumed reason "
    "or read from this page: an answer that was offered is no finding."
)
ROUGH = (
    "Sorted by a model that was made for candidates' words: read the passage, not the tag. Feedback is the "
    "interviewers' view and is never counted."
)
PROBES, HINTS = 6, 3
_FACTS = ("role", "grade", "location", "source")
_REASONS = {"presumed_reason": "hiring team", "reason_code": "tracking system"}
_BLOCKED = {"refused": "REFUSED", "opted_out": "OPTED OUT"}


@dataclass(frozen=True, kw_only=True)
class Presumed:
    """Reasons as written, each with who wrote it, and the labels of what they presume (none: they do not say why)."""

    texts: tuple[tuple[str, str], ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A question to stay with: its code, label, text, follow-ups, and why it is listed."""

    code: str
    label: str
    question: str
    follow_ups: tuple[str, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Brief:
    """A brief.

    Attributes
    ----------
    candidate_id, name : str
        The name is empty unless it was asked for.
    alerts : tuple of str
        Why this candidate must not be called.
    notes : tuple of str
        Earlier contacts, and a call that is in the study already.
    facts : mapping of str to str
        Role, grade, location, source; those that are known.
    timeline : Timeline
    terms : mapping of str to str
        Terms of the offer: header to cell.
    presumed : tuple of Presumed
    said : Said
        Feedback and notes.
    earlier : Earlier
        What earlier batches said.
    probes : tuple of Probe
        Worth probing first, in this order.
    """

    candidate_id: str
    name: str = ""
    alerts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str]
    timeline: Timeline
    terms: Mapping[str, str]
    presumed: tuple[Presumed, ...] = ()
    said: Said
    earlier: Earlier
    probes: tuple[Probe, ...]

    @property
    def title(self) -> str:
        """The title of the page."""
        return f"Brief: {self.name} ({self.candidate_id})" if self.name else f"Brief: {self.candidate_id}"

    def to_dict(self) -> dict[str, Any]:
        """Return the brief as plain values, days as YYYY-MM-DD."""
        plain: dict[str, Any] = _plain({"stamp": STAMP, **asdict(self)})
        return plain

    def to_html(self) -> str:
        """Return the brief as one HTML page without script or outside resource, one sheet when printed."""
        return render("brief.html.j2", brief=self, stamp=STAMP, how=HOW, rough=ROUGH, days=days, in_words=in_words)

    def to_markdown(self) -> str:
        """Return the brief as Markdown."""
        lines = [f"# {_safe(self.title)}", "", f"*{STAMP}.*"]
        for text in self.alerts:
            lines += ["", f"# {_safe(text)}"]
        for title, rows in self._sections():
            lines += ["", f"## {title}", ""]
            for style, text in rows:
                lines += {"text": [_safe(text), ""], "bold": ["", f"**{_safe(text)}**", ""]}.get(
                    style, [f"{'  ' if style == 'sub' else ''}- {_safe(text)}"]
                )
            while lines[-1] == "":
                lines.pop()
        return "\n".join(_single(lines)) + "\n"

    def to_docx(self) -> bytes:
        """Return the brief as the bytes of a Word file."""
        document = new_document(self.title)
        narrow(document)
        document.add_heading(self.title, level=0)
        document.add_paragraph().add_run(f"{STAMP}.").italic = True
        for text in self.alerts:
            document.add_heading(text, level=1)
        styles = {"bullet": "List Bullet", "sub": "List Bullet 2"}
        for title, rows in self._sections():
            document.add_heading(title, level=1)
            for style, text in rows:
                if style == "bold":
                    document.add_heading(text, level=2)
                else:
                    document.add_paragraph(text, style=styles.get(style))
        return saved(document)

    def _sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the sections of the page: title, and rows of (style, text); style is text, bold, bullet or sub."""
        facts = [*(f"{name.capitalize()}: {text}" for name, text in self.facts.items()), *self.notes]
        stages = [
            f"{stage.day} {stage.name}" + ("" if stage.waited is None else f", after {days(stage.waited)}")
            for stage in self.timeline.stages
        ]
        stages += [f"In all {days(self.timeline.total)}"] if self.timeline.total is not None else []
        stages += [f"Cannot be: {text}" for text in self.timeline.problems]
        terms = [f"{name}: {text}" for name, text in self.terms.items()]
        probes: list[tuple[str, str]] = [("text", HOW)]
        for number, probe in enumerate(self.probes, start=1):
            probes.append(("bold", f"{number}. {probe.question}"))
            probes += [("bullet", f"Why: {text}") for text in probe.because]
            probes += [("bullet", f"Then: {text}") for text in probe.follow_ups]
        return [
            ("The offer", _bullets([*facts, *terms], "Nothing is known of it.")),
            ("Timeline", _bullets(stages, "No dates are known.")),
            ("Presumed reason", _bullets([in_words(one) for one in self.presumed], "None was recorded.")),
            ("Worth probing first", probes),
            ("Feedback and notes", self._remarks()),
            ("What earlier batches said", self._earlier()),
        ]

    def _remarks(self) -> list[tuple[str, str]]:
        if not self.said.documents:
            return [("text", "None was given.")]
        rows = [("text", ROUGH)]
        for topic in self.said.topics:
            more = f" (and {topic.more} more)" if topic.more else ""
            rows.append(("bold", f"{topic.category}: {topic.label}{more}"))
            rows += [("bullet", _quoted(one)) for one in topic.remarks]
        if self.said.also:
            rows.append(("text", f"Also: {', '.join(f'{label} ({n})' for label, n in self.said.also.items())}."))
        if self.said.others:
            more = f" (and {self.said.others_more} more)" if self.said.others_more else ""
            rows.append(("bold", f"Without a code{more}"))
            rows += [("bullet", _quoted(one)) for one in self.said.others]
        return rows

    def _earlier(self) -> list[tuple[str, str]]:
        found = self.earlier
        of = "Candidates heard" if found.n is None else f"{found.n} candidates heard"
        rows = [("text", f"{of} ({found.group}) {found.manner}:")] if found.items else []
        for one in found.items:
            rows.append(("bullet", spoke(one)))
            rows += [("sub", spoke(theme)) for theme in one.themes]
        return rows + ([("text", found.note)] if found.note else [])


def candidate_brief(
    row: Mapping[str, Any],
    *,
    days: Mapping[str, date],
    said: Said,
    earlier: Earlier,
    framework: Framework,
    reasons: Reasons,
    contacts: pd.DataFrame,
    called: Sequence[date | None] = (),
    segments: Collection[str] = (),
    name: str = "",
    remarks: Sequence[str] = (),
) -> Brief:
    """Put a brief together.

    Parameters
    ----------
    row : mapping
        One row of candidates or offers, further columns included; names replaced in free text.
    days : mapping of str to datetime.date
        Header to day, of further columns that hold one.
    said : Said
        From `what_was_said`.
    earlier : Earlier
        From `earlier_batches`.
    framework : Framework
        Its questions are asked.
    reasons : Reasons
        What a presumed reason stands for.
    contacts : pandas.DataFrame
        The contacts table, of this candidate.
    called : sequence of datetime.date or None
        Days of calls that are in the study already, None where the day is not known.
    segments : collection of str
        Declared segments: never shown, whatever their headers.
    name : str
        Shown in the title; empty: the candidate_id alone.
    remarks : sequence of str
        What else the caller must know, such as files that were not read.

    Returns
    -------
    Brief

    Raises
    ------
    InputError
        The row's outcome says that the candidate did not decline.
    """
    candidate = str(row["candidate_id"])
    outcome = row.get("outcome")
    if outcome is not None and pd.notna(outcome) and str(outcome).casefold() in ("accepted", "pending", "withdrawn"):
        raise undecided(candidate, str(outcome).casefold())
    cells = further(row, segments)
    presumed, codes = _presumed(row, reasons, framework)
    events = [(str(event), str(at)) for event, at in zip(contacts["event"], contacts["at"], strict=True)]
    found = timeline(
        {header: day for header, day in days.items() if header in cells},
        offer=_day(row.get("offer_date")),
        decline=_day(row.get("decline_date")),
    )
    return Brief(
        candidate_id=candidate,
        name=name,
        alerts=tuple(f"DO NOT CALL: {_BLOCKED[event]} on {at[:10]}" for event, at in events if event in _BLOCKED),
        notes=(
            *(f"{event.capitalize()} on {at[:10]}" for event, at in events if event not in _BLOCKED),
            *sorted(f"A call{f' of {day}' if day else ''} is in the study already" for day in called),
            *remarks,
        ),
        facts={one: str(row[one]) for one in _FACTS if row.get(one) is not None and pd.notna(row[one])},
        timeline=found,
        terms=offer_terms(cells),
        presumed=presumed,
        said=said,
        earlier=earlier,
        probes=_probes(framework, said.hints, codes, earlier),
    )


def _presumed(
    row: Mapping[str, Any], reasons: Reasons, framework: Framework
) -> tuple[tuple[Presumed, ...], dict[str, str]]:
    """Return the reasons as written, those that presume the same together; and code to the reason that presumes it."""
    written: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    codes: dict[str, str] = {}
    for column, by in _REASONS.items():
        text = "" if row.get(column) is None or pd.isna(row[column]) else " ".join(str(row[column]).split())
        if text:
            read = [reason for reason in reasons.read(text) or () if reason.code in framework.category_of]
            labels = dict.fromkeys(framework.labels[one.theme or one.code] for one in read)
            written.setdefault(tuple(labels), []).append((text, by))
            codes |= {one.code: text for one in read if one.code not in codes}
    return tuple(Presumed(texts=tuple(texts), labels=labels) for labels, texts in written.items()), codes


def _probes(
    framework: Framework, hints: Sequence[Hint], presumed: Mapping[str, str], earlier: Earlier
) -> tuple[Probe, ...]:
    """Return the questions worth probing first: hinted at, presumed, heard before; each code once."""
    because: dict[str, list[str]] = {}
    for hint in hints[:HINTS]:
        because[hint.code] = [f'{_where(hint)}: "{hint.remark.text}"']
    for code, text in presumed.items():
        because.setdefault(code, []).append(f"the presumed reason ({text}): find out openly whether it holds")
    for one in earlier.items:
        if one.id in because or len(because) < PROBES:
            many = f"{one.n} of {earlier.n}" if one.n is not None and earlier.n is not None else "several"
            because.setdefault(one.id, []).append(f"{many} earlier candidates ({earlier.group}) {earlier.manner} it")
    least = len(framework.categories) + 5
    asked = {one.code: one for one in reversed(interview_guide(framework, minutes=max(MINUTES, least)).questions)}
    return tuple(
        Probe(
            code=code,
            label=framework.labels[code],
            question=asked[code].text,
            follow_ups=asked[code].follow_ups,
            because=tuple(why),
        )
        for code, why in list(because.items())[:PROBES]
    )


def _where(hint: Hint) -> str:
    """Return where a code is spoken of critically."""
    parts = [
        f"{n} {'passage' if n == 1 else 'passages'} of {name}"
        for n, name in ((hint.feedback, "feedback"), (hint.notes, "notes"))
        if n
    ]
    return f"critical in {' and '.join(parts)}"


def spoke(item: Item) -> str:
    """Return an item with its number, where that is shown."""
    return item.label if item.n is None else f"{item.label}: {item.n}"


def in_words(presumed: Presumed) -> str:
    """Return a presumed reason in words."""
    by = ", ".join(f"{text} ({who})" for text, who in presumed.texts)
    return f"{by}; presumes: {', '.join(presumed.labels)}" if presumed.labels else f"{by}; says nothing of why"


def days(number: int) -> str:
    """Return a number of days in words."""
    return "1 day" if number == 1 else f"{number} days"


def _quoted(remark: Remark) -> str:
    tags = "; ".join(f"{label}, {stance}" for label, stance in remark.tags)
    return f'"{remark.text}" ({remark.source}{f": {tags}" if tags else ""})'


def _bullets(texts: Sequence[str], otherwise: str) -> list[tuple[str, str]]:
    return [("bullet", text) for text in texts] or [("text", otherwise)]


def _safe(text: str) -> str:
    """Return text that Markdown takes for neither HTML nor a line of its own."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _single(lines: Sequence[str]) -> list[str]:
    """Return lines without an empty line after another."""
    return [line for place, line in enumerate(lines) if line or place == 0 or lines[place - 1]]


def _day(value: Any) -> date | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date()


def _plain(value: Any) -> Any:
    """Return dicts, lists, text and numbers, days as YYYY-MM-DD."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
