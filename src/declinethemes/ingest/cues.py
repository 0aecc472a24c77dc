"""What every reader hands on, and how it becomes a turns frame.

In: cues (one stretch of text each, perhaps with speaker and times) in the order of the file. Out: a frame in the form
of the `turns` table, consecutive cues of one speaker joined. Whose voice a named speaker is, is decided in `roles`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from declinethemes.schema import DTYPES, TABLES

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_STAMP = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?")


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One stretch of text; `alone` keeps it from being joined to the one before (headings, list items)."""

    text: str
    speaker: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    role: str | None = None
    basis: str | None = None
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one file holds: its cues in order, and notes on how it was read."""

    cues: Sequence[Cue]
    notes: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """The notes as one text, or None."""
        return "; ".join(self.notes) or None


def collapse(text: str) -> str:
    """Return the text with runs of white space as one space and without zero-width marks."""
    return " ".join(text.translate(_INVISIBLE).split())


def seconds(stamp: str) -> float | None:
    """Return a time stamp such as ``01:02:03.5``, ``02:03,500`` or ``0:07`` in seconds, or None if it is none."""
    match = _STAMP.fullmatch(stamp.strip())
    if match is None:
        return None
    hours, minutes, secs, fraction = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(secs) + (float(f"0.{fraction}") if fraction else 0.0)


def heading(text: str) -> Cue:
    """Return the cue of a heading or a survey question: what was asked, never evidence."""
    return Cue(text=text, role="interviewer", basis="heading", alone=True)


def join(cues: Iterable[Cue]) -> list[Cue]:
    """Join consecutive cues of one speaker into one, white space collapsed; cues without text are left out."""
    joined: list[Cue] = []
    for cue in cues:
        text = collapse(cue.text)
        if not text:
            continue
        speaker = collapse(cue.speaker) if cue.speaker else None
        last = joined[-1] if joined else None
        same = last is not None and (last.speaker, last.role, last.basis) == (speaker, cue.role, cue.basis)
        if last is not None and same and not cue.alone and last.basis != "heading":
            end_s = cue.end_s if cue.end_s is not None else last.end_s
            text, start_s = f"{last.text} {text}", last.start_s if last.start_s is not None else cue.start_s
            joined.pop()
        else:
            start_s, end_s = cue.start_s, cue.end_s
        joined.append(
            Cue(text=text, speaker=speaker or None, start_s=start_s, end_s=end_s, role=cue.role, basis=cue.basis)
        )
    return joined


def to_turns(cues: Iterable[Cue], document_id: str) -> pd.DataFrame:
    """Return cues as a frame in the form of the `turns` table, numbered from 0."""
    joined = join(cues)
    values: dict[str, list[object]] = {
        "document_id": [document_id] * len(joined),
        "turn_no": list(range(len(joined))),
        "speaker": [cue.speaker for cue in joined],
        "speaker_role": [cue.role for cue in joined],
        "role_basis": [cue.basis for cue in joined],
        "start_s": [cue.start_s for cue in joined],
        "end_s": [cue.end_s for cue in joined],
        "text": [cue.text for cue in joined],
    }
    # the same as schema.conform, which takes ten times as long for the one document at hand
    columns = TABLES["turns"].columns
    return pd.DataFrame({name: pd.Series(values[name], dtype=DTYPES[columns[name].kind]) for name in columns})
