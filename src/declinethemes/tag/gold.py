"""Coded quotes to tags of passages.

In: a table of quotes (document_id, quote, occurrence, speaker_role, code, stance) and the turns and passages they come
from. Out: the tags table with ``decided_by`` "gold", and the codes of the questions. Codes are anchored by quote, so
they survive a changed splitter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from declinethemes import schema
from declinethemes.errors import InputError

COLUMNS = ("document_id", "quote", "occurrence", "speaker_role", "code", "stance", "theme")
OVERLAP = 0.5  # a passage gets a code when half of the quote, or half of the passage, is in the other


@dataclass(frozen=True, kw_only=True, eq=False)
class Gold:
    """Gold codes on the units the tagger works with.

    Attributes
    ----------
    tags : pandas.DataFrame
        The tags table, decided_by "gold".
    themes : pandas.DataFrame
        Columns passage_id, theme_id.
    questions : pandas.DataFrame
        Columns document_id, text, codes (tuple): every interviewer's question or heading that was coded.
    covered : frozenset of str
        Passages of which at least half lies in coded quotes (quotes without a code included).
    """

    tags: pd.DataFrame
    themes: pd.DataFrame
    questions: pd.DataFrame
    covered: frozenset[str]


def project(
    gold: pd.DataFrame, turns: pd.DataFrame, passages: pd.DataFrame, *, redact: Callable[[str], str] = str
) -> Gold:
    """Carry the codes of quotes over to the passages that they overlap.

    Parameters
    ----------
    gold : pandas.DataFrame
        Columns document_id, quote, occurrence (1 = first in the document), speaker_role, code (empty: no code), stance,
        theme.
    turns, passages : pandas.DataFrame
        The tables, names replaced.
    redact : callable
        What was applied to the turns, to find quotes that hold a name.

    Raises
    ------
    InputError
        A quote is not in its document.
    """
    missing = [name for name in COLUMNS if name not in gold.columns]
    if missing:
        raise InputError(f"the gold table lacks the columns {missing}; it has {list(gold.columns)}")
    places = _locate(gold, turns, redact)
    tags: list[tuple[str, str, str]] = []
    themes: list[tuple[str, str]] = []
    covered: dict[str, set[int]] = {}
    by_turn: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
    units = [passages[name] for name in ("passage_id", "document_id", "turn_no", "start_char", "end_char")]
    for passage, document, turn, first, last in zip(*units, strict=True):
        by_turn.setdefault((document, turn), []).append((passage, first, last))
    spoken = gold["speaker_role"] == "candidate"
    for (document, turn, start, end), code, stance, theme, own in zip(
        places, gold["code"], gold["stance"], gold["theme"], spoken, strict=True
    ):
        if not own:
            continue
        for passage, first, last in by_turn.get((document, turn), []):
            shared = min(end, last) - max(start, first)
            if shared <= 0:
                continue
            covered.setdefault(passage, set()).update(range(max(start, first), min(end, last)))
            if shared < OVERLAP * min(end - start, last - first) or pd.isna(code) or not code:
                continue
            tags.append((passage, code, stance))
            if pd.notna(theme) and theme:
                themes.append((passage, theme))
    size = dict(zip(passages["passage_id"], passages["end_char"] - passages["start_char"], strict=True))
    asked: dict[tuple[str, int, int, int], tuple[str, set[str]]] = {}
    for place, quote, code, own in zip(places, gold["quote"], gold["code"], spoken, strict=True):
        if not own:
            asked.setdefault(place, (quote, set()))[1].update([code] if pd.notna(code) and code else [])
    questions = [(place[0], quote, tuple(sorted(codes))) for place, (quote, codes) in sorted(asked.items())]
    return Gold(
        tags=_tags(tags),
        themes=pd.DataFrame(sorted(set(themes)), columns=["passage_id", "theme_id"], dtype="string"),
        questions=pd.DataFrame(questions, columns=["document_id", "text", "codes"]),
        covered=frozenset(p for p, chars in covered.items() if len(chars) >= OVERLAP * size[p]),
    )


def _locate(gold: pd.DataFrame, turns: pd.DataFrame, redact: Callable[[str], str]) -> list[tuple[str, int, int, int]]:
    """Return (document_id, turn_no, start, end) of every quote."""
    texts: dict[tuple[str, str], list[tuple[int, str]]] = {}
    spoken = [turns[name] for name in ("document_id", "speaker_role", "turn_no", "text")]
    for document, role, turn_no, text in zip(*spoken, strict=True):
        texts.setdefault((document, role), []).append((turn_no, text))
    known: dict[str, str] = {}
    out, lost = [], []
    columns = [gold[c] for c in ("document_id", "quote", "occurrence", "speaker_role")]
    for document, quote, occurrence, role in zip(*columns, strict=True):
        needle = known.setdefault(quote, redact(quote))
        place, left = None, int(occurrence)
        for turn_no, text in texts.get((document, role), []):
            start = text.find(needle)
            while start >= 0 and place is None:
                left -= 1
                if left == 0:
                    place = (str(document), int(turn_no), start, start + len(needle))
                start = text.find(needle, start + 1)
            if place:
                break
        if place is None:
            lost.append(f"{document}: {quote[:60]!r} (occurrence {occurrence}, {role})")
        else:
            out.append(place)
    if lost:
        raise InputError(f"{len(lost)} gold quotes are not in their documents; first: " + "; ".join(lost[:5]))
    return out


def _tags(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Return one row per passage and code; contradicting stances become "mixed"."""
    if not rows:
        return schema.empty("tags")
    stances: dict[tuple[str, str], set[str]] = {}
    for passage, code, stance in rows:
        stances.setdefault((passage, code), set()).update([stance] if pd.notna(stance) and stance else [])
    frame = pd.DataFrame(
        [(passage, code, _one_stance(kinds)) for (passage, code), kinds in stances.items()],
        columns=["passage_id", "code", "stance"],
    )
    frame = frame.assign(
        decided_by="gold", category=frame["code"].str.split(".").str[0], probability=1.0, decision="yes", model_id=None
    )
    return schema.conform(frame, "tags")


def _one_stance(stances: set[str]) -> str | None:
    """Return the stance that the quotes share, "mixed" where they contradict each other, None where none was coded."""
    kinds = stances - {"neutral"}
    if not kinds:
        return "neutral" if stances else None
    return kinds.pop() if len(kinds) == 1 else "mixed"
