"""Days as people write them.

In: text. Out: a day as YYYY-MM-DD. A day that could be two days (03/04/2025) is refused unless the user or another
date of the same file (25/04/2025) says which part is the day: nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from declinethemes.errors import InputError, SchemaError

Order = Literal["day", "month"]
"""Which part stands first in 03/04/2025."""

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t\s].*)?")
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[t,\s].*)?")
_DAY_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})")
_WORD_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_IN_NAME = re.compile(r"(?<!\d)(20\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _AmbiguousError(ValueError):
    """The day and the month could be exchanged."""


def parse_day(text: str, order: Order | None = None) -> str:
    """Return a day as YYYY-MM-DD.

    Parameters
    ----------
    text : str
        A day; a time after it is left out.
    order : {"day", "month"}, optional
        What stands first where a day is written in numbers only.

    Raises
    ------
    ValueError
        It is no day, day and month could be exchanged, or it does not have the order given.

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
        if order is None and first <= 12 and second <= 12 and first != second:
            raise _AmbiguousError(text)
        day_first = order == "day" if order else first > 12
        day, month = (first, second) if day_first else (second, first)
    elif match := _DAY_WORD.fullmatch(clean):
        day, month, year = int(match[1]), _month(match[2]), int(match[3])
    elif match := _WORD_DAY.fullmatch(clean):
        day, month, year = int(match[2]), _month(match[1]), int(match[3])
    else:
        raise ValueError(text)
    return dt.date(year, month, day).isoformat()


def looks_like_day(text: str) -> bool:
    """Return whether a text is a day, or could be two (03/04/2025).

    Examples
    --------
    >>> looks_like_day("2025-03-12"), looks_like_day("03/04/2025"), looks_like_day("R-2025-44-1")
    (True, True, False)
    """
    try:
        parse_day(text)
    except _AmbiguousError:
        return True
    except ValueError:
        return False
    return True


def decide_order(columns: Sequence[pd.Series], given: Order | None, name: str) -> Order | None:
    """Return what stands first in the dates of a file: the day or the month.

    Parameters
    ----------
    columns : sequence of pandas.Series
        Text columns of dates of one file; the index is the row in the file.
    given : {"day", "month"} or None
        What the user says; it is not questioned here.
    name : str
        Name of the file, for messages.

    Returns
    -------
    {"day", "month"} or None
        None where no date needs it.

    Raises
    ------
    InputError
        Some dates begin with the day and others with the month, or no date of the file decides.
    """
    if given is not None:
        return given
    seen: dict[str, str] = {}
    for column in columns:
        for row, value in column.dropna().items():
            match = _NUMBERS.fullmatch(str(value).strip().lower())
            if match is None or match[1] == match[2]:
                continue
            kind = "day" if int(match[1]) > 12 else "month" if int(match[2]) > 12 else "open"
            seen.setdefault(kind, f"{value} (row {row})")
    if "day" in seen and "month" in seen:
        raise InputError(
            f"{name}: the dates are mixed: {seen['day']} begins with the day, {seen['month']} with the month; "
            "write all dates as YYYY-MM-DD"
        )
    if "open" in seen and not {"day", "month"} & set(seen):
        raise InputError(
            f"{name}: in {seen['open']} day and month could be exchanged, and no date of the file decides; "
            "say which stands first (--dates day or --dates month), or write the dates as YYYY-MM-DD"
        )
    return "day" if "day" in seen else "month" if "month" in seen else None


def parse_days(series: pd.Series, *, table: str, column: str, order: Order | None = None) -> pd.Series:
    """Return a text column as YYYY-MM-DD text, missing where it was missing; `order` as in `parse_day`.

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
                day = parse_day(str(value), order)
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
