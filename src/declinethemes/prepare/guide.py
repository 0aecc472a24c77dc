"""The interview guide and the note form, made from a framework.

In: a `Framework`. Out: a frozen `Guide` (categories in order, their questions, follow-ups, a time plan), as Markdown,
HTML or a Word file, and a blank note form that the readers of `ingest` understand again when it is filled in. Nothing
is asked about one candidate in particular here, and no file is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from declinethemes.errors import SettingsError
from declinethemes.framework import Code, Framework
from declinethemes.framework.form import INSTRUCTIONS, OTHER, TITLE, heading_text
from declinethemes.prepare.page import new_document, render, saved

_HERE = Path(__file__).parent
MINUTES = 30
OPENING, CLOSING = 3, 2  # minutes


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question: the code that it asks about, its text, and what to ask where the answer is thin."""

    code: str
    text: str
    follow_ups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the conversation: minutes from its start to its end, and its questions or steps."""

    id: str
    label: str
    start: int
    end: int
    hint: str = ""
    steps: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def clock(self) -> str:
        """When it is due, such as ``minutes 3 to 5``."""
        return f"minutes {self.start} to {self.end}"


@dataclass(frozen=True, kw_only=True)
class Guide:
    """An interview guide.

    Attributes
    ----------
    title, framework : str
        What it is called, and the framework (name and version) that it was made from.
    minutes : int
        Length of the conversation; the sections fill it without a gap.
    rules : tuple of str
        What holds for the whole conversation.
    sections : tuple of Section
        Opening, the categories of the framework in their order, closing.
    """

    title: str
    framework: str
    minutes: int
    rules: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, in order."""
        return tuple(question for section in self.sections for question in section.questions)

    def to_markdown(self) -> str:
        """Return the guide as Markdown."""
        lines = [f"# {self.title}", "", f"{self.minutes} minutes. Framework: {self.framework}.", "", "## Rules", ""]
        lines += [f"- {rule}" for rule in self.rules]
        for number, section in enumerate(self.sections, start=1):
            lines += ["", f"## {number}. {section.label} ({section.clock})", ""]
            lines += [f"*{section.hint}*", ""] if section.hint else []
            lines += [f"- {step}" for step in section.steps]
            for question in section.questions:
                lines += [f"**{question.text}**", "", *(f"- {text}" for text in question.follow_ups), ""]
            while lines[-1] == "":
                lines.pop()
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Return the guide as one HTML page without script or outside resource."""
        return render("guide.html.j2", guide=self)

    def to_docx(self) -> bytes:
        """Return the guide as the bytes of a Word file."""
        document = new_document(self.title)
        document.add_heading(self.title, level=0)
        document.add_paragraph(f"{self.minutes} minutes. Framework: {self.framework}.")
        document.add_heading("Rules", level=1)
        for rule in self.rules:
            document.add_paragraph(rule, style="List Bullet")
        for number, section in enumerate(self.sections, start=1):
            document.add_heading(f"{number}. {section.label} ({section.clock})", level=1)
            if section.hint:
                document.add_paragraph().add_run(section.hint).italic = True
            for step in section.steps:
                document.add_paragraph(step, style="List Bullet")
            for question in section.questions:
                document.add_heading(question.text, level=2)
                for text in question.follow_ups:
                    document.add_paragraph(text, style="List Bullet")
        return saved(document)

    def form_text(self) -> str:
        """Return a blank note form as text; Markdown marks its headings.

        Examples
        --------
        >>> from declinethemes.framework import load_framework
        >>> interview_guide(load_framework()).form_text().splitlines()[7:9]
        ['# What they were looking for [context]', '']
        """
        lines = [TITLE, "", *INSTRUCTIONS]
        for level, text in self._headings():
            lines += ["", f"{'#' * level} {text}"]
        return "\n".join(lines) + "\n\n"

    def form_docx(self) -> bytes:
        """Return a blank note form as the bytes of a Word file."""
        document = new_document(TITLE)
        document.add_heading(TITLE, level=0)
        for line in INSTRUCTIONS:
            document.add_paragraph(line)
        for level, text in self._headings():
            document.add_heading(text, level=level)
            if level > 1:
                document.add_paragraph("")
        return saved(document)

    def _headings(self) -> list[tuple[int, str]]:
        """Return (level, text) of the headings of the form: 1 for a category, 2 for a question."""
        headings: list[tuple[int, str]] = []
        for section in self.sections:
            if section.questions:
                headings.append((1, heading_text(section.id, section.label)))
                headings += [(2, heading_text(question.code, question.text)) for question in section.questions]
        return [*headings, (2, heading_text(*OTHER))]


def interview_guide(framework: Framework, *, minutes: int = MINUTES) -> Guide:
    """Make the interview guide of a framework.

    Parameters
    ----------
    framework : Framework
        Its categories are the sections; the ``questions`` of its codes are asked, or one made of the label where a
        code has none.
    minutes : int, default 30
        Length of the conversation. Opening and closing take 3 and 2; the rest goes to the categories by their number
        of questions, in whole minutes, each at least one.

    Returns
    -------
    Guide

    Raises
    ------
    SettingsError
        There are not enough minutes to give each category one.

    Examples
    --------
    >>> from declinethemes.framework import load_framework
    >>> guide = interview_guide(load_framework())
    >>> [f"{section.id} {section.end - section.start}" for section in guide.sections][:4]
    ['opening 3', 'context 2', 'branding 5', 'experience 7']
    """
    words = _words()
    asked = {category.id: _questions(framework, category.id, words) for category in framework.categories}
    asked = {name: questions for name, questions in asked.items() if questions}
    least = OPENING + CLOSING + len(asked)
    if minutes < least:
        raise SettingsError(
            f"the guide of '{framework.name}' needs {least} minutes at least, one for each of its {len(asked)} "
            f"categories; found {minutes}"
        )
    shares = _share_out(minutes - OPENING - CLOSING, [len(questions) for questions in asked.values()])
    sections = [Section(id="opening", label="Opening", start=0, end=OPENING, steps=tuple(words["opening"]))]
    for (name, questions), share in zip(asked.items(), shares, strict=True):
        start = sections[-1].end
        hint = words["hints"].get(name, "")
        label = framework.labels[name]
        sections.append(Section(id=name, label=label, start=start, end=start + share, hint=hint, questions=questions))
    sections.append(
        Section(id="closing", label="Closing", start=minutes - CLOSING, end=minutes, steps=tuple(words["closing"]))
    )
    return Guide(
        title="Interview guide: candidates who declined",
        framework=f"{framework.name}, version {framework.version}",
        minutes=minutes,
        rules=tuple(words["rules"]),
        sections=tuple(sections),
    )


def _questions(framework: Framework, category: str, words: Mapping[str, Any]) -> tuple[Question, ...]:
    """Return the questions of a category; follow-ups stand with the first question of their code."""
    found: list[Question] = []
    for code in framework.codes:
        if code.category == category:
            follow_ups = tuple(words["follow_ups"].get(code.id, words["general"]))
            texts = _texts(code)
            found.append(Question(code=code.id, text=texts[0], follow_ups=follow_ups))
            found += [Question(code=code.id, text=text) for text in texts[1:]]
    return tuple(found)


def _texts(code: Code) -> list[str]:
    """Return the questions of a code on one line each, or one made of its label."""
    given = [" ".join(question.split()) for question in code.questions if question.strip()]
    return given or [f"What can you tell me about this: {code.label}?"]


def _share_out(minutes: int, weights: Sequence[int]) -> list[int]:
    """Return whole minutes that sum to `minutes`, each at least one, by largest remainder; ties go to the earlier."""
    if not weights:
        return []
    spare = minutes - len(weights)
    exact = [spare * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: spare - sum(shares)]:
        shares[i] += 1
    return [share + 1 for share in shares]


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((_HERE / "guide.toml").read_text(encoding="utf-8"))
