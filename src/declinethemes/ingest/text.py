"""Plain text and Markdown: a conversation, or notes with headings.

In: the lines of a .txt or .md file (or of a Word file, see `word`). Out: cues. A conversation has ``Name: text`` lines,
with or without time stamps, or ``Name  0:00`` above the text (Otter, Teams). Anything else is read as notes: Markdown
headings, bold lines and short lines that end in ``:`` or ``?`` are headings, list items stay apart, other lines
are joined. A note form (`framework.form`) is read to the letter: its questions are the headings, all else is
text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from declinethemes.errors import InputError
from declinethemes.framework.form import INSTRUCTIONS, TITLE, is_form, split_heading
from declinethemes.ingest.cues import Cue, Reading, collapse, heading, seconds
from declinethemes.ingest.speakers import conversation_names, fold, plausible, split_label, split_topic

_STAMP = r"[\[(]?((?:\d+:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)[\])]?"
_NAME_THEN_TIME = re.compile(rf"^(\S.{{0,59}}?)[\s\-–—|,]+{_STAMP}\s*:?$")
_TIME_FIRST = re.compile(rf"^{_STAMP}\s*[-–—|]?\s+(\S.*)$")
_TIME_IN_LABEL = re.compile(r"^([^:]{1,60}?)\s*[\[(]((?:\d+:)?\d{1,2}:\d{2})[\])]\s*:\s*(.*)$")
_BULLET = re.compile(r"^\s*(?:[-*•‣·–]|\d{1,2}[.)])\s+")
_MAIL_HEADER = re.compile(
    r"^(from|to|cc|bcc|date|sent|reply-to|subject|von|an|de|para|assunto|betreff):\s*(.*)$", re.IGNORECASE
)
HEADING_WORDS = 14
"""A line with more words than this is no heading, whatever it ends in."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line or paragraph; an empty text is a blank line."""

    text: str
    heading: bool = False
    item: bool = False
    quoted: bool = False


def read_text(text: str, name: str) -> Reading:
    """Return the cues of a plain text or Markdown file.

    Parameters
    ----------
    text : str
        The whole file.
    name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        There are headings or labels and nothing said under them.
    """
    raw = [_form_line(line) for line in text.split("\n")]
    return from_lines(raw if _is_form(raw) else markdown_lines(text), name)


def from_lines(lines: Sequence[Line], name: str) -> Reading:
    """Return the cues of lines: a note form, a conversation if they look like one, else notes."""
    if _is_form(lines):
        return _form(lines, name)
    reading = _stamped(lines) or _labelled(lines) or _notes(lines)
    if not any(cue.basis != "heading" for cue in reading.cues):
        raise InputError(f"{name}: headings only, there is no text under them")
    return reading


def _is_form(lines: Sequence[Line]) -> bool:
    return is_form([line.text for line in lines if line.heading])


def _form_line(line: str) -> Line:
    """Return a line as it is; only ``#`` in front of the heading of a note form is taken off."""
    marked = re.fullmatch(r"#{1,2} (.+)", line.rstrip())
    if marked and split_heading(marked[1]):
        return Line(text=marked[1], heading=True)
    return Line(text=line)


def _form(lines: Sequence[Line], name: str) -> Reading:
    """Read a filled note form: the questions with something below them, and every line below them by itself."""
    found = [split_heading(line.text) if line.heading else None for line in lines]
    questions = {head[0] for head in found if head is not None and "." in head[0]}
    titles = {question.split(".")[0] for question in questions}
    cues: list[Cue] = []
    asked: str | None = None
    answered: set[str] = set()
    for line, head in zip(lines, found, strict=True):
        text = collapse(line.text)
        if head is not None and (head[0] in questions or head[0] in titles):
            asked = head[1] if head[0] in questions else None
        elif text and text not in (TITLE, *INSTRUCTIONS):
            if asked is not None:
                cues.append(heading(asked))
                answered.add(asked)
                asked = None
            cues.append(Cue(text=text, role="candidate", basis="note", alone=True))
    if not cues:
        raise InputError(f"{name}: a note form with nothing written in it; write below the questions")
    return Reading(cues=cues, notes=(f"a note form, {len(answered)} of its questions filled in",))


def markdown_lines(text: str) -> list[Line]:
    """Return the lines of a text with Markdown marks taken off and headings, list items and quotes marked."""
    raw = text.split("\n")
    lines: list[Line] = []
    for number, line in enumerate(raw):
        stripped = line.strip()
        underline = raw[number + 1].strip() if number + 1 < len(raw) else ""
        if re.fullmatch(r"(?:[-=_*]\s*){3,}", stripped):
            lines.append(Line(text=""))
            continue
        is_heading = bool(re.match(r"#{1,6}\s", stripped)) or bool(
            stripped and re.fullmatch(r"={3,}|-{3,}", underline) and len(stripped.split()) <= HEADING_WORDS
        )
        whole_bold = re.fullmatch(r"(\*\*|__)(?!\s)(.+?)(?<!\s)\1:?", stripped)
        quoted = stripped.startswith(">")
        item = bool(_BULLET.match(line)) and not whole_bold
        clean = re.sub(r"^#{1,6}\s+|^(?:>\s*)+", "", stripped)
        clean = _BULLET.sub("", clean) if item else clean
        clean = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", clean)
        bold_label = bool(whole_bold) and not re.match(r"[^:]+:\s*\S", clean)
        lines.append(Line(text=clean.strip(), heading=is_heading or bold_label, item=item, quoted=quoted))
    return lines


def _stamped(lines: Sequence[Line]) -> Reading | None:
    """Read ``Name  0:00`` above its text (Otter, Teams in Word); None if there are no such lines."""
    found = [_NAME_THEN_TIME.match(line.text) for line in lines]
    heads = [match if match and plausible(match[1]) else None for match in found]
    sure = any(head is not None and re.search(r"\s{2,}\S+$|\xa0", head[0]) for head in heads)
    if sum(head is not None for head in heads) < (1 if sure else 2):
        return None
    cues: list[Cue] = []
    before = 0
    speaker: str | None = None
    start: float | None = None
    for line, head in zip(lines, heads, strict=True):
        if head is not None:
            speaker, start = collapse(head[1]), seconds(head[2].replace(",", "."))
        elif line.text and speaker is None:
            before += 1
        elif line.text:
            cues.append(Cue(text=line.text, speaker=speaker, start_s=start))
    notes = (f"{before} lines before the first speaker were left out",) if before else ()
    return Reading(cues=cues, notes=notes) if cues else None


def _labelled(lines: Sequence[Line]) -> Reading | None:
    """Read ``Name: text`` lines, time stamps before the name allowed; None if this is no conversation."""
    if any(_MAIL_HEADER.match(line.text) for line in lines[:6]) and _is_mail(lines):
        return None
    timed = [_time_off(line.text) for line in lines]
    names = conversation_names([text for _, text in timed if text])
    if not names:
        return None
    cues: list[Cue] = []
    speaker: str | None = None
    before: list[str] = []
    for line, (start, text) in zip(lines, timed, strict=True):
        named, said = split_label(text, names)
        if named is not None:
            speaker = named
        elif speaker is None:
            before += [text] if text else []
            continue
        elif line.heading:
            cues.append(heading(text))
            continue
        if said:
            cues.append(Cue(text=said, speaker=speaker, start_s=start))
    notes = (f"{len(before)} lines before the first speaker were left out",) if before else ()
    return Reading(cues=cues, notes=notes) if cues else None


def _time_off(text: str) -> tuple[float | None, str]:
    """Return (start in seconds or None, the line without its time stamp)."""
    inside = _TIME_IN_LABEL.match(text)
    if inside:
        return seconds(inside[2]), f"{inside[1]}: {inside[3]}"
    first = _TIME_FIRST.match(text)
    if first:
        return seconds(first[1].replace(",", ".")), first[2]
    return None, text


def _is_mail(lines: Sequence[Line]) -> bool:
    headers = {fold(m[1]) for line in lines[:12] if (m := _MAIL_HEADER.match(line.text))}
    return len(headers) >= 2


def _notes(lines: Sequence[Line]) -> Reading:
    """Read notes: headings are prompts, the rest is text about (or by) the candidate."""
    mail, notes = _is_mail(lines), []
    cues: list[Cue] = []
    in_header = mail
    for line in lines:
        header = _MAIL_HEADER.match(line.text) if in_header else None
        if header:
            if fold(header[1]) in ("subject", "betreff", "assunto") and header[2]:
                cues.append(heading(header[2]))
            continue
        in_header = in_header and not line.text
        if not line.text:
            continue
        if line.heading or (mail and line.quoted) or _is_heading(line.text):
            cues.append(heading(line.text.rstrip(":").strip() or line.text))
            continue
        topic, text = (None, line.text) if mail else split_topic(line.text)
        if topic is not None:
            cues.append(heading(topic))
        cues.append(Cue(text=text, role="candidate", basis="note", alone=line.item))
    if mail:
        notes.append("e-mail headers were left out; quoted lines are taken as the question")
    return Reading(cues=cues, notes=tuple(notes))


def _is_heading(text: str) -> bool:
    return text.endswith((":", "?")) and len(text.split()) <= HEADING_WORDS
