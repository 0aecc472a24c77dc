"""What interviewers and notes say about one candidate: passages under the codes they were tagged with.

In: passages with their tags, and the kind and day of their documents. Out: topics in the framework's order, a few
passages each, the rest counted. Tagging is not done here, and nothing of it is counted anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from declinethemes.framework import Framework

TOPICS = 7
PER_CODE = 2
WITHOUT = 4
_CRITICAL = ("negative", "mixed")
_OPEN = re.compile(
    r"\b(?:worr\w+|concern\w*|risks?|doubts?|reservations?|open (?:point|question)s?|unclear|"
    r"not (?:sure|clear|of one mind)|no (?:good |clear )?answer|expectations?|wanted to know|pushed (?:hard )?on|"
    r"(?:could not|couldn't|nobody could|none of us could) (?:answer|say)|"
    r"(?:asked|asks|asking) (?:us|me|again|twice|more|about|whether|when|who|what|for)|"
    r"before (?:the letter|the offer|an offer|we (?:make|send)|anybody makes)|"
    r"(?:we|somebody|someone) (?:should|ought|needs?|must))\b",
    re.IGNORECASE,
)
"""Words with which interviewers mark what is not settled: a worry, or what a candidate asked and nobody answered."""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One passage: its text, where it stands, and its tags as (label, stance)."""

    text: str
    source: str
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A code with the passages that it fits best; `more` are not shown."""

    code: str
    label: str
    category: str
    remarks: tuple[Remark, ...]
    more: int = 0


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A code that was spoken of critically: passages of feedback and of notes, and the one that says it best."""

    code: str
    feedback: int
    notes: int
    remark: Remark


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was said about a candidate.

    Attributes
    ----------
    documents : int
        Documents that were read.
    topics : tuple of Topic
        In the order of the framework: those with critical passages, then those with most, as far as the page goes.
    also : mapping of str to int
        Label to passages of the topics that are not shown.
    others : tuple of Remark
        Some of the passages without a code, those that leave a point open first.
    others_more : int
        How many more have none.
    hints : tuple of Hint
        Codes with negative or mixed stance; those with a passage that leaves a point open first, then by passages.
    """

    documents: int = 0
    topics: tuple[Topic, ...] = ()
    also: Mapping[str, int] = field(default_factory=dict)
    others: tuple[Remark, ...] = ()
    others_more: int = 0
    hints: tuple[Hint, ...] = ()


def what_was_said(passages: pd.DataFrame, tags: pd.DataFrame, documents: pd.DataFrame, framework: Framework) -> Said:
    """Group the passages about one candidate.

    Parameters
    ----------
    passages : pandas.DataFrame
        The passages table, of feedback and notes about this candidate.
    tags : pandas.DataFrame
        The tags table; only decisions "yes" count.
    documents : pandas.DataFrame
        The documents table, for kind and date.
    framework : Framework
        Gives labels and order.

    Returns
    -------
    Said
        Each passage stands once, under its most probable code; critical ones first.
    """
    about = {
        one: (kind, day)
        for one, kind, day in zip(documents["document_id"], documents["kind"], documents["date"], strict=True)
    }
    yes = tags[(tags["decision"] == "yes") & tags["passage_id"].isin(passages["passage_id"])]
    order = {code.id: place for place, code in enumerate(framework.codes)}
    yes = yes[yes["code"].isin(list(order))]
    yes = yes.assign(place=yes["code"].map(order)).sort_values(["probability", "place"], ascending=[False, True])
    own: dict[str, list[tuple[str, str]]] = {}
    for row in yes.to_dict("records"):
        own.setdefault(str(row["passage_id"]), []).append((str(row["code"]), str(row["stance"])))
    remarks = {
        str(row["passage_id"]): Remark(
            text=" ".join(str(row["text"]).split()),
            source=_source(*about.get(row["document_id"], (None, None))),
            tags=tuple((framework.labels[code], stance) for code, stance in own.get(str(row["passage_id"]), [])),
        )
        for row in passages.sort_values(["document_id", "turn_no", "start_char"]).to_dict("records")
    }
    under: dict[str, list[Remark]] = {}
    for one, remark in remarks.items():
        under.setdefault(own[one][0][0] if one in own else "", []).append(remark)
    others = sorted(under.pop("", []), key=lambda one: not is_open(one))
    codes = sorted(under, key=order.__getitem__)
    first = sorted(codes, key=lambda code: (-sum(map(_is_critical, under[code])), -len(under[code])))[:TOPICS]
    return Said(
        documents=int(passages["document_id"].nunique()),
        topics=tuple(_topic(code, under[code], framework) for code in codes if code in first),
        also={framework.labels[code]: len(under[code]) for code in codes if code not in first},
        others=tuple(others[:WITHOUT]),
        others_more=max(len(others) - WITHOUT, 0),
        hints=_hints(own, remarks),
    )


def is_open(remark: Remark) -> bool:
    """Return whether a passage leaves a point open."""
    return _OPEN.search(remark.text) is not None


def _topic(code: str, found: list[Remark], framework: Framework) -> Topic:
    ranked = sorted(found, key=lambda one: (not _is_critical(one), not is_open(one)))
    category = framework.labels[framework.category_of[code]]
    label = framework.labels[code]
    more = max(len(ranked) - PER_CODE, 0)
    return Topic(code=code, label=label, category=category, remarks=tuple(ranked[:PER_CODE]), more=more)


def _is_critical(remark: Remark) -> bool:
    return any(stance in _CRITICAL for _, stance in remark.tags)


def _hints(own: Mapping[str, list[tuple[str, str]]], remarks: Mapping[str, Remark]) -> tuple[Hint, ...]:
    """Return the codes spoken of critically; `own` has the surest tags first."""
    found: dict[str, list[Remark]] = {}
    for passage, tags in own.items():
        for code, stance in tags:
            if stance in _CRITICAL:
                found.setdefault(code, []).append(remarks[passage])
    ranked = []
    for code, rows in found.items():
        feedback = sum(one.source.startswith("feedback") for one in rows)
        best = sorted(rows, key=lambda one: not is_open(one))[0]
        ranked.append(Hint(code=code, feedback=feedback, notes=len(rows) - feedback, remark=best))
    return tuple(sorted(ranked, key=lambda one: (not is_open(one.remark), -one.feedback - one.notes)))


def _source(kind: Any, day: Any) -> str:
    """Return where a passage stands, such as ``note, 2026-03-02``."""
    name = "note" if kind is None or pd.isna(kind) else str(kind)
    return name if day is None or pd.isna(day) else f"{name}, {pd.Timestamp(day).date()}"
