"""Days as people write them.

In: text. Out: a day as YYYY-MM-DD. A day that could be two days (03/04/2025) is refused: nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from declinethemes.errors import SchemaError

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t\s].*)?")
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[t,\s].*)?")
_DAY_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})")
_WORD_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_IN_NAME = re.compile(r"(?<!\d)(20\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _AmbiguousError(ValueError):
    """The day and the month could be exchanged."""


def parse_day(text: str) -> str:
    """Return a day as YYYY-MM-DD.

    Raises
    ------
    ValueError
        It is no day, or day and month could be exchanged.

    Examples
    --------
    >>> parse_day("12 Mar 2025"), parse_day("25/03/2025"), parse_day("2025-03-12T09:30")
    ('2025-03-12', '2025-03-25', '2025-03-12')
    """
    clean = text.strip().lower()
    if match := _ISO.fullmatch(clean):
        year, month, day = (int(part) for part in match.groups())
    elif match := _NUMBERS.fullmatch(clean):
        first, second, year = (int(part) for part in match.groups())
        if first <= 12 and second <= 12 and first != second:
            raise _AmbiguousError(text)
        day, month = (first, second) if first > 12 else (second, first)
    elif match := _DAY_WORD.fullmatch(clean):
        day, month, year = int(match[1]), _month(match[2]), int(match[3])
    elif match := _WORD_DAY.fullmatch(clean):
        day, month, year = int(match[2]), _month(match[1]), int(match[3])
    else:
        raise ValueError(text)
    return dt.date(year, month, day).isoformat()


def parse_days(series: pd.Series, *, table: str, column: str) -> pd.Series:
    """Return a text column as YYYY-MM-DD text, missing where it was missing.

    Raises
    ------
    SchemaError
        Some values are no days, or day and month could be exchanged; all of them are counted, the first five shown.
    """
    days: list[object] = []
    bad: list[object] = []
    rows: list[object] = []
    ambiguous = False
    for row, value in series.items():
        day: object = pd.NA
        if pd.notna(value):
            try:
                day = parse_day(str(value))
            except ValueError as error:
                bad.append(value)
                rows.append(row)
                ambiguous = ambiguous or isinstance(error, _AmbiguousError)
        days.append(day)
    if bad:
        expected = "dates as YYYY-MM-DD" + (" (day and month could be exchanged in some)" if ambiguous else "")
        raise SchemaError.values(table, column, expected=expected, bad=bad, rows=rows)
    return pd.Series(days, index=series.index, dtype="string")


def day_in_name(name: str) -> str | None:
    """Return the ISO day in a file name (``2025-03-12``, ``20250312``), or None."""
    for match in _IN_NAME.finditer(name):
        try:
            return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            continue
    return None


def _month(word: str) -> int:
    if word[:3] not in _MONTHS:
        raise ValueError(word)
    return _MONTHS.index(word[:3]) + 1
